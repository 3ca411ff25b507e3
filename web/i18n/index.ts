/** The texts of the app in the person's language. All that a screen says comes from here. */
import { createCell, type Readable } from '../records/cell.ts';
import { en } from './en.ts';
import type { SheetTexts } from './enSheets.ts';
import { stored } from './language.ts';
import { createTimes, type Times } from './times.ts';

/** `sheets` is in every language but English, whose sheets bring their own (sheets.ts). */
export type Texts = typeof en & { sheets?: SheetTexts };

/** English is in the page itself; each other one is fetched when it is chosen, and the worker keeps it for offline. */
const LANGUAGES = {
  en: () => en,
  zh: () => import('./zh.ts').then(({ zh }) => zh),
};

export type Language = keyof typeof LANGUAGES;

const have = Object.keys(LANGUAGES);
const current = createCell<Language>('en');

/** The one that is spoken; the view at the root renders all of them again when it changes. */
export const language: Readable<Language> = current;

export let t: Texts = en;

export let times: Times = timesOf(en);

/** What is spoken to whom has just come: what was chosen by hand, else what the browser asks for. */
export function wanted(): Language {
  return languageOf(chooseLocale([stored() ?? [], navigator.languages].flat(), have)) as Language;
}

/** Rejects where the texts cannot be fetched; then it stays as it was. */
export async function speak(next: Language): Promise<void> {
  t = await LANGUAGES[next]();
  times = timesOf(t);
  document.documentElement.lang = t.lang;
  current.set(next);
}

/** English times go by the reader's region. Chinese ones do not: a Taiwanese region would bring its own script along. */
function timesOf({ lang, log }: Texts): Times {
  return createTimes(lang === 'en' ? chooseLocale(navigator.languages, [lang]) : lang, log);
}

/** The first locale of those wanted whose language we have; English where we have none. */
export function chooseLocale(locales: readonly string[], languages: readonly string[]): string {
  return locales.find((one) => languages.includes(languageOf(one))) ?? 'en';
}

function languageOf(one: string): string {
  return one.split('-')[0]!.toLowerCase();
}
