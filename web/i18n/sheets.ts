/** The texts of the sheets in the current language. They are loaded with the sheets, after the first paint. */
import { enSheets, type SheetTexts } from './enSheets.ts';
import { t } from './index.ts';

export function sheetTexts(): SheetTexts {
  return t.sheets ?? enSheets;
}
