/** A piece of a message: plain text or a link. All parts joined are the message. */
export type Part = { tag: 'text'; text: string } | { tag: 'link'; text: string; href: string };

/** Finds the links in a text. Only http, https and mailto become links; other schemes, such as `javascript:`, stay text. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(CANDIDATE)) {
    const candidate = withoutTail(found[0]);
    const href = hrefOf(candidate);
    if (href === undefined) continue;
    if (found.index > end) parts.push({ tag: 'text', text: text.slice(end, found.index) });
    parts.push({ tag: 'link', text: candidate, href });
    end = found.index + candidate.length;
  }
  if (end < text.length) parts.push({ tag: 'text', text: text.slice(end) });
  return parts;
}

const CANDIDATE = /(?<![\p{L}\p{N}_])(?:https?:\/\/|mailto:)[^\s<>"“”「」『』，。！？；：、（）]+/giu;

/** Without trailing punctuation, and without a closing bracket whose opening bracket is before the link. */
function withoutTail(candidate: string): string {
  let rest = candidate;
  for (;;) {
    const last = rest.at(-1)!;
    const opening = OPENING[last];
    if (TAIL.includes(last) || (opening && count(rest, opening) < count(rest, last)))
      rest = rest.slice(0, -1);
    else return rest;
    if (rest === '') return rest;
  }
}

const TAIL = ".,;:!?'*…";
const OPENING: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

function hrefOf(candidate: string): string | undefined {
  const url = parsed(candidate);
  if (url?.protocol === 'mailto:') return url.pathname.includes('@') ? url.href : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url.href : undefined;
}

function parsed(candidate: string): URL | undefined {
  try {
    return new URL(candidate); // not URL.canParse: Safari has it only since 17
  } catch {
    return undefined;
  }
}
