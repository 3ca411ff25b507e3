/** The texts of the sheets in the current language, and others that are loaded with them, after the first paint. */
import { enSheets, type SheetTexts } from './enSheets.ts';
import { isolated, t } from './index.ts';

export function sheetTexts(): SheetTexts {
  return t.sheets ?? enSheets;
}

/** `names`: of those who are typing, at least one; empty where it is not known. Each has its own direction. */
export function typingText(names: readonly string[]): string {
  const { somebody, one, two, several } = sheetTexts().typing;
  const [first = '', second] = names.map((name) => isolated(name || somebody));
  if (names.length > 2) return several;
  return second === undefined ? one(first) : two(first, second);
}
