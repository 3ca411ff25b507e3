/**
 * Finds the links in a message. Only http, https and mailto become links; other schemes, such as `javascript:`, stay text.
 * Which finder this was compared with: docs/DECISIONS.md.
 */

/** A piece of a message: plain text or a link. All parts joined are the message. */
export type Part =
  | { tag: 'text'; text: string }
  /** `host`: where the link really leads, if its text does not say so: `https://bank.example@evil.example`, or an IDN. */
  | { tag: 'link'; text: string; href: string; host?: string };

/** Takes time proportional to the length of the text. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  BEGINNING.lastIndex = 0;
  for (let found = BEGINNING.exec(text); found; found = BEGINNING.exec(text)) {
    const { index } = found;
    const candidate = withoutTail(text.slice(index, endOf(text, BEGINNING.lastIndex)));
    const link = linkOf(candidate);
    if (!link) {
      BEGINNING.lastIndex = Math.max(BEGINNING.lastIndex, index + candidate.length);
      continue;
    }
    if (index > end) parts.push({ tag: 'text', text: text.slice(end, index) });
    parts.push(link);
    end = index + candidate.length;
    BEGINNING.lastIndex = end;
  }
  if (end < text.length) parts.push({ tag: 'text', text: text.slice(end) });
  return parts;
}

/** After a letter of a script without spaces a link may begin, after a Latin letter not. */
const BEGINNING = /(?<![a-z0-9_])(?:https?:\/\/|mailto:)/giu;

/** Scripts that are written without spaces, or with endings right after a foreign word; and emoji. */
export const UNSPACED =
  '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{sc=Hang}\\p{sc=Bopo}\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}\\p{Extended_Pictographic}\\p{RI}]';
/**
 * White space, invisible and bidi characters, punctuation and symbols of all scripts, numbers in circles: none is in a link,
 * unless it is ASCII, an emoji, or one of the exceptions below.
 */
const ENDING =
  '[\\s\\p{Default_Ignorable_Code_Point}\\p{Bidi_Control}\\p{P}\\p{S}\\p{C}\\u2460-\\u24ff\\u2776-\\u2793\\u2800\\u3200-\\u32ff]';
/** Emoji that are drawn as such: by themselves, or since U+FE0F follows. */
const EMOJI = '(?:\\p{Emoji_Presentation}|\\p{Emoji}(?=\\ufe0f))';
const WIDE = '[\\uff10-\\uff5a]';
/** After a Latin letter or an ASCII digit these are no part of a link: scripts without spaces, and full-width letters. */
const FOREIGN = `(?:${UNSPACED}|${WIDE}|\\p{EMod})`;

/**
 * Browsers compile an expression when it is first used, twice for each of their two kinds of strings, and need 10 ms for one
 * with all of these, 50 on a slow phone. So there is one for each kind of sign, which is made when a link needs it: most
 * links are ASCII, and so is what follows them.
 */
const sticky = (source: string) => {
  let expression: RegExp | undefined;
  /** Where the match ends that begins at `start`. */
  return (text: string, start: number): number | undefined => {
    expression ??= new RegExp(source, 'uy');
    expression.lastIndex = start;
    return expression.test(text) ? expression.lastIndex : undefined;
  };
};
const hostEnd = sticky('[!$-.0-;=@-_a-~]*');
/** In the rest there are more signs. */
const restEnd = sticky('[!#-;=?-_a-~]*');
/** Letters of other scripts, and emoji. The joiners and U+FE0F are part of words and emoji of other scripts, such as Persian. */
const lettersEnd = sticky(
  `(?:(?<=[^\\0-\\x7f])(?:\\ufe0f|[\\u200c\\u200d](?=[^\\0-\\x7f]))|(?!(?!${EMOJI})${ENDING}|(?<=[A-Za-z0-9])${FOREIGN})[^\\0-\\x7f])+`,
);
/** Dots within words: of `l·l`, and of Japanese names. */
const dotEnd = sticky(
  `(?<=[\\p{L}\\p{M}\\p{N}])·(?=[\\p{L}\\p{N}])(?!${UNSPACED})|(?<=${UNSPACED})[·・](?=${UNSPACED})`,
);
/** Dashes, symbols and punctuation: none that ends a sentence, no bracket or quote, and none of Chinese and Japanese. */
const SIGN = `(?!${EMOJI}|[\\0-\\x7f\\p{Terminal_Punctuation}…\\u2800\\u2460-\\u24ff\\u2776-\\u2793\\u3000-\\u303f\\u30fb\\u3200-\\u33ff\\ufe10-\\ufe6f\\uff00-\\uffff\\u{1d159}])[\\p{Pd}\\p{Po}\\p{S}’]`;
const signEnd = sticky(SIGN);
/** Letters and digits, but of scripts without spaces. */
const SPACED = `(?!${UNSPACED}|${WIDE})[\\p{L}\\p{M}\\p{N}]`;
/** Signs between what is written with spaces, as in `/Hart_–_Film`; another link ends them. */
const BETWEEN = `(?<=${SPACED}|[#%&()+/=?_-])(?:${SIGN}){1,4}(?=(?:[#?&=_/-]{0,2}|_\\()(?:${SPACED}|%))(?![hH][tT][tT][pP][sS]?:|[mM][aA][iI][lL][tT][oO]:)`;
/** Signs that end a word: `C♯`, `25°`, `50€`. */
const POSTFIX = `(?<=${SPACED})(?!${EMOJI})[°♯♭♮™®©‰′″\\u20a0-\\u20cf¢-¥](?!(?=[\\p{L}\\p{N}\\p{S}])${UNSPACED}|${WIDE})`;
const signsEnd = sticky(`${BETWEEN}|${POSTFIX}`);

/** Where the host and the rest end that follow the scheme. */
function endOf(text: string, start: number): number {
  let [end, isHost] = [start, true];
  for (;;) {
    end = (isHost ? hostEnd : restEnd)(text, end)!;
    if (isHost && '#/?'.includes(text[end] ?? ' ')) {
      isHost = false;
      end++;
    } else {
      const next = (text[end] ?? '') > '\x7f' ? otherEnd(text, end, isHost) : undefined;
      if (next === undefined) return end;
      end = next;
    }
  }
}

/** The same for what is not ASCII, up to the next kind of sign. */
function otherEnd(text: string, start: number, isHost: boolean): number | undefined {
  const end = lettersEnd(text, start) ?? ('·・'.includes(text[start]!) ? dotEnd(text, start) : undefined);
  if (end !== undefined || isHost) return end;
  return signEnd(text, start) === undefined ? undefined : signsEnd(text, start);
}

/** Up to the first closing bracket whose opening bracket is before the link, and without trailing punctuation. */
function withoutTail(candidate: string): string {
  const open: string[] = [];
  let end = 0;
  for (; end < candidate.length; end++) {
    const sign = candidate[end]!;
    if (CLOSING[sign]) open.push(CLOSING[sign]);
    else if (')]}'.includes(sign) && open.pop() !== sign) break;
  }
  while (end > 0 && TAIL.includes(candidate[end - 1]!)) end--;
  return candidate.slice(0, end);
}

const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };
const TAIL = ".,;:!?'’*~|_([{";

function linkOf(text: string): Part | undefined {
  const url = parsed(text);
  if (url?.protocol === 'mailto:')
    return url.pathname.includes('@') ? { tag: 'link', text, href: url.href } : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined;
  const written = /^[a-z]+:\/\/([^/?#]*?)(?::\d*)?(?:[/?#]|$)/i.exec(text)?.[1]?.toLowerCase();
  const { href, hostname } = url;
  return { tag: 'link', text, href, ...(written === hostname ? {} : { host: hostname }) };
}

function parsed(candidate: string): URL | undefined {
  try {
    return new URL(candidate); // not URL.canParse: Safari has it only since 17
  } catch {
    return undefined;
  }
}
