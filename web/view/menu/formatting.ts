/**
 * Parses the formatting of a message: `*bold*`, `_italic_`, `` `code` ``, and lines that begin with `> `. Takes time proportional
 * to the length. The marks stay in it: all parts joined are what was typed. What does not parse is text. What this was chosen
 * from: docs/DECISIONS.md.
 *
 * A pair of marks is on one line, with no white space within its ends. Neither is inside a word: before the first is a space, an
 * opening bracket or the like, after the second a space or punctuation; or a script that is written without spaces. Links count
 * as words, and code has no other formatting in it.
 */
import { type Part, partsOf, UNSPACED } from './links.ts';

export type FormattedPart =
  | Part
  /** `close` is empty for a quoted line. Bold and italic contain each other at most once. */
  | { tag: 'bold' | 'italic' | 'code' | 'quoted'; open: string; inside: FormattedPart[]; close: string };

const TAGS = new Map([
  ['*', 'bold'],
  ['_', 'italic'],
  ['`', 'code'],
] as const);
const QUOTED = '> ';

const BEFORE = new RegExp(
  `(?:[\\s\\p{Ps}\\p{Pi}\\p{Pd}"':*_\`\\ufe0f\\u3000-\\u303f\\uff00-\\uff65]|${UNSPACED})$`,
  'u',
);
const AFTER = new RegExp(
  `^(?:[\\s\\p{Pe}\\p{Pf}\\p{Pd}.,;:!?"'…*_\`\\u3000-\\u303f\\uff00-\\uff65]|${UNSPACED})`,
  'u',
);

/** `cut`: the text is the beginning of a longer one, so a link at its end may be half a link: it is text. `meter` counts characters that are looked at. */
export function formattedParts(text: string, cut = false, meter = { steps: 0 }): FormattedPart[] {
  const links = partsOf(text);
  const last = links.at(-1);
  if (cut && last?.tag === 'link') links[links.length - 1] = { tag: 'text', text: last.text };
  const typed = links
    .map((part) => (part.tag === 'link' ? 'x'.repeat(part.text.length) : part.text))
    .join('');
  const take = takeInOrder(links);
  const parts: FormattedPart[] = [];
  let from = 0;
  for (const line of typed.split(/(?<=\n)/)) {
    const to = from + line.length;
    if (line.startsWith(QUOTED)) {
      take(QUOTED.length);
      parts.push({ tag: 'quoted', open: QUOTED, inside: partsOfLine(from + QUOTED.length, to), close: '' });
    } else parts.push(...partsOfLine(from, to));
    from = to;
  }
  return parts;

  function partsOfLine(start: number, end: number): FormattedPart[] {
    /** The pairs that are open, outermost first; the first frame is the line. */
    const frames: { mark: string; inside: FormattedPart[] }[] = [{ mark: '', inside: [] }];
    let taken = start;
    const takeUpTo = (to: number) => {
      frames.at(-1)!.inside.push(...take(to - taken));
      taken = to;
    };
    const giveUp = (depth: number) => {
      for (const { mark, inside } of frames.splice(depth))
        frames.at(-1)!.inside.push({ tag: 'text', text: mark }, ...inside);
    };
    const takeMark = (at: number) => {
      takeUpTo(at);
      take(1);
      taken = at + 1;
    };
    for (let at = start; at < end; at++) {
      meter.steps++;
      const mark = typed[at]!;
      const tag = TAGS.get(mark as '*');
      if (!tag) continue;
      const opened = frames.findIndex((frame) => frame.mark === mark);
      if (opened > 0 && closes(at, end)) {
        takeMark(at);
        giveUp(opened + 1);
        const { inside } = frames.pop()!;
        frames.at(-1)!.inside.push({ tag, open: mark, inside, close: mark });
      } else if (opens(at, start)) {
        if (tag === 'code') {
          const close = typed.indexOf(mark, at + 1);
          meter.steps += (close < 0 ? typed.length : close) - at;
          if (close < 0 || close >= end || !closes(close, end)) continue;
          takeMark(at);
          const inside = take(close - at - 1);
          taken = close;
          takeMark(close);
          frames.at(-1)!.inside.push({ tag, open: mark, inside, close: mark });
          at = close;
          continue;
        }
        takeMark(at);
        if (opened > 0) giveUp(opened); // nothing has closed the one before
        frames.push({ mark, inside: [] });
      }
    }
    takeUpTo(end);
    giveUp(1);
    return frames[0]!.inside;
  }

  function opens(at: number, start: number): boolean {
    const [before, after] = [typed.slice(Math.max(start, at - 2), at), typed[at + 1]];
    if (after === undefined || /\s/.test(after) || after === typed[at]) return false;
    return before === '' || (!before.endsWith(typed[at]!) && BEFORE.test(before));
  }

  function closes(at: number, end: number): boolean {
    const [before, after] = [typed[at - 1]!, typed.slice(at + 1, Math.min(end, at + 3))];
    if (/\s/.test(before) || before === typed[at]) return false;
    return after === '' || (!after.startsWith(typed[at]!) && AFTER.test(after));
  }
}

/** Returns a function that takes the next characters of the parts. It never ends within a link. */
function takeInOrder(parts: readonly Part[]): (length: number) => Part[] {
  let [next, begun] = [0, 0];
  return (length) => {
    const taken: Part[] = [];
    for (let left = length; left > 0; ) {
      const part = parts[next]!;
      const text = part.text.slice(begun, begun + left);
      taken.push(part.tag === 'link' ? part : { tag: 'text', text });
      left -= text.length;
      begun += text.length;
      if (begun === part.text.length) [next, begun] = [next + 1, 0];
    }
    return taken;
  };
}
