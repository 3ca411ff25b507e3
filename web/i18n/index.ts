/** The texts of the app in the person's language. All that a screen says comes from here. */
import { en } from './en.ts';
import { stored } from './language.ts';
import { createTimes } from './times.ts';

export type Texts = typeof en;

const LANGUAGES: Record<string, Texts> = { en };

/** Such as `en-GB`: the language of the texts, with the region by which times are written. */
export const locale: string = chooseLocale(
  [stored() ?? [], navigator.languages ?? navigator.language].flat(),
  Object.keys(LANGUAGES),
);

export const t: Texts = LANGUAGES[languageOf(locale)] ?? en;

export const times = createTimes(locale, t.log);

/** The first locale of those wanted whose language we have; English where we have none. */
export function chooseLocale(wanted: readonly string[], have: readonly string[]): string {
  return wanted.find((one) => have.includes(languageOf(one))) ?? 'en';
}

function languageOf(one: string): string {
  return one.split('-')[0]!.toLowerCase();
}
