/** Finds the names of people after an `@` in a text. Pure. */

/** The text itself, or the `@` and the name of somebody. All parts joined are the text. */
export type MentionPart<One> = { text: string; who?: One };

/**
 * Of two names that begin alike the longer one is found. An address of e-mail mentions nobody, and neither does the beginning
 * of a longer Latin word.
 */
export function mentionParts<One extends { name: string }>(
  text: string,
  people: readonly One[],
): MentionPart<One>[] {
  if (people.length === 0 || !text.includes('@')) return [{ text }];
  const longestFirst = people.toSorted((a, b) => b.name.length - a.name.length);
  const parts: MentionPart<One>[] = [];
  let end = 0;
  for (const { index } of text.matchAll(BEGINNING)) {
    if (index < end) continue;
    const who = longestFirst.find(({ name }) => isNameAt(text, index + 1, name));
    if (!who) continue;
    if (index > end) parts.push({ text: text.slice(end, index) });
    end = index + 1 + who.name.length;
    parts.push({ text: text.slice(index, end), who });
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** What is typed after an `@` before the caret, and where that `@` is; undefined where there is none. */
export function queryBefore(text: string, caret: number): { at: number; query: string } | undefined {
  const line = text.slice(Math.max(0, caret - QUERY_MAX_LENGTH - 1), caret);
  const found = /(?<![\p{Script=Latin}\p{N}._-])@([^@\n]*)$/u.exec(line);
  return found ? { at: caret - found[0].length, query: found[1]! } : undefined;
}

/** People whose name, or a word of it, begins with what was typed, at most PEOPLE_SHOWN. */
export function matching<One extends { name: string }>(people: readonly One[], query: string): One[] {
  const wanted = query.toLowerCase();
  return people
    .filter(({ name }) => {
      const lower = name.toLowerCase();
      return lower.startsWith(wanted) || lower.includes(` ${wanted}`);
    })
    .slice(0, PEOPLE_SHOWN);
}

/** As many as fit above an on-screen keyboard. */
const PEOPLE_SHOWN = 5;
/** Longer than any name. */
const QUERY_MAX_LENGTH = 80;
const BEGINNING = /(?<![\p{Script=Latin}\p{N}._-])@/gu;
const LATIN_END = /[\p{Script=Latin}\p{N}_]$/u;
const LATIN_START = /^[\p{Script=Latin}\p{N}_]/u;

function isNameAt(text: string, at: number, name: string): boolean {
  if (!text.startsWith(name, at)) return false;
  return !(LATIN_END.test(name) && LATIN_START.test(text.slice(at + name.length, at + name.length + 2)));
}
