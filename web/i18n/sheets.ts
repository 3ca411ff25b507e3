/** The texts that only the sheets say, in the language that is spoken: they come with the sheets, after the first paint. */
import { enSheets, type SheetTexts } from './enSheets.ts';
import { t } from './index.ts';

export function inSheets(): SheetTexts {
  return t.sheets ?? enSheets;
}
