/** The texts of the app in the user's language. Every text on the screen comes from here. */

import { pairOf } from '../../shared/directPair.ts';
import { LOBBY } from '../../shared/mint.ts';
import { lazyImport } from '../load/lazyImport.ts';
import { createCell, type Readable } from '../records/cell.ts';
import type { Reason } from '../records/errorReason.ts';
import { en } from './en.ts';
import type { SheetTexts } from './enSheets.ts';
import { createTimes, isLocale, type Times } from './formats.ts';
import { stored } from './language.ts';

/** `sheets`: in every language but English, whose texts of the sheets are a file of their own (sheets.ts). */
export type Texts = typeof en & { sheets?: SheetTexts };

/** English is part of the page. Other languages are fetched when they are chosen; the service worker caches them. */
const LANGUAGES = {
  en: () => en,
  zh: async () => (await lazyImport(() => import('./zh.ts'))).zh,
};

export type Language = keyof typeof LANGUAGES;

const have = Object.keys(LANGUAGES);
const current = createCell<Language>('en');

/** The current language. */
export const language: Readable<Language> = current;

export let t: Texts = en;

export let times: Times = timesOf(en);

const formats = createCell(times);

/** Changes with the language, the day and the time zone: then the root view renders everything again. */
export const shownTimes: Readable<Times> = formats;

/** The language to start with: the one chosen on this browser, else the first of the browser's languages that we have. */
export function wanted(): Language {
  return languageOf(chooseLocale([stored() ?? [], localesOf(navigator)].flat(), have)) as Language;
}

/** Switches the language. Rejects if its texts cannot be fetched; then nothing changes. */
export async function speak(next: Language): Promise<void> {
  t = await LANGUAGES[next]();
  document.documentElement.lang = t.lang;
  current.set(next);
  renewTimes();
}

/** The name of a room on the screen. One's notebook, and the lobby until it is renamed, have one in every language. */
export function roomName({ id, name }: { id: string; name: string }): string {
  const [one, other] = pairOf(id) ?? [];
  return one !== undefined && one === other
    ? t.rooms.notes
    : id === LOBBY && name === 'Lobby'
      ? t.rooms.lobby
      : name;
}

/** A name within a sentence, with its own direction. */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

/** Shows all times anew: formatters keep the time zone in which they were made. */
export function renewTimes(): void {
  times = timesOf(t);
  formats.set(times);
}

/**
 * A table of sentences for reasons, or its key in `t.reasons`: the same code means another thing at the name field than at a
 * message.
 */
export type ReasonTable = Exclude<keyof Texts['reasons'], 'other'> | Record<string, string>;

/**
 * The sentence for a reason: from `table`, else from the table `any`, else the server's message, else a general one.
 */
export function sentence(reason: Reason, table: ReasonTable = 'any'): string {
  const sentences = typeof table === 'string' ? t.reasons[table] : table;
  return own(sentences, reason.code) ?? own(t.reasons.any, reason.code) ?? reason.message ?? t.reasons.other;
}

function own(table: Record<string, string>, code: string): string | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}

/** English times follow the region of the reader. Chinese ones do not: a Taiwanese region would bring traditional characters. */
function timesOf({ lang, log }: Texts): Times {
  return createTimes(lang === 'en' ? chooseLocale(localesOf(navigator), [lang]) : lang, log);
}

/** The first of the wanted locales whose language is among `languages`; else English. */
export function chooseLocale(locales: readonly string[], languages: readonly string[]): string {
  return locales.find((one) => languages.includes(languageOf(one))) ?? 'en';
}

/** The locales that the browser asks for, without those that `Intl` refuses: one of them would keep the app from starting. */
export function localesOf({
  languages,
  language,
}: Partial<Pick<Navigator, 'languages' | 'language'>>): string[] {
  return [languages, language].flat().filter(isLocale);
}

function languageOf(locale: string): string {
  return locale.split('-')[0]!.toLowerCase();
}
