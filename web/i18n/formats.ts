/** Numbers, plurals and times, in the format of a locale. */

/** The plural forms of a text; `#` stands for the number. `Intl.PluralRules` decides which forms a language uses. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

export type Count = (n: number, forms: Forms, written?: string) => string;

/** Returns a function that picks the form for a number and inserts the number, formatted for the locale or as `written`. */
export function counting(locale: string): Count {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  return (n, forms, written = numbers.format(n)) =>
    (forms[rules.select(n)] ?? forms.other).replace('#', written);
}

/** True for a tag that `Intl` takes. It throws at others, such as `en_US`, `C` or `en-US@posix`. */
export function isLocale(tag: unknown): tag is string {
  try {
    return Intl.getCanonicalLocales(tag as string).length > 0;
  } catch {
    return false;
  }
}

/** Formats times in milliseconds since 1970, in the time zone of the device. */
export interface Times {
  /** `13:04` */
  minute(at: number): string;
  /** `Tuesday 3 March`, with the year if it is not this year. */
  date(at: number, now: number): string;
  /** The same, but `Today` and `Yesterday` for these two days. */
  day(at: number, now: number): string;
  /** Short, for the list of rooms: `13:04` today, `Tue` in the last six days, then `3 Mar`, and with the year before this year. */
  recent(at: number, now: number): string;
}

export function createTimes(locale: string, texts: { today: string; yesterday: string }): Times {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
  const minute = format({ timeStyle: 'short' });
  const weekday = format({ weekday: 'short' });
  const monthDay = format({ day: 'numeric', month: 'short' });
  const dateOfYear = format({ day: 'numeric', month: 'short', year: 'numeric' });
  const day = format({ weekday: 'long', day: 'numeric', month: 'long' });
  const dayOfYear = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

  const date = (at: number, now: number) => (sameYear(at, now) ? day : dayOfYear).format(at);

  return {
    minute: (at) => minute.format(at),
    date,
    day(at, now) {
      const ago = daysBetween(at, now);
      if (ago === 0) return texts.today;
      if (ago === 1) return texts.yesterday;
      return date(at, now);
    },
    recent(at, now) {
      const ago = daysBetween(at, now);
      if (ago === 0) return minute.format(at);
      if (ago > 0 && ago < 7) return weekday.format(at);
      return (sameYear(at, now) ? monthDay : dateOfYear).format(at);
    },
  };
}

/** A key of the local calendar day. */
export function dayKey(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** Tells whether a time is on the local calendar day of `at`. Makes no `Date` for each: a log asks for 120 in a row. */
export function onDayOf(at: number): (time: number) => boolean {
  const from = new Date(at).setHours(0, 0, 0, 0);
  const to = new Date(at).setHours(24, 0, 0, 0);
  return (time) => from <= time && time < to;
}

/** Calendar days from `at` to `now`. Days of 23 or 25 hours, at a clock change, count as one. */
function daysBetween(at: number, now: number): number {
  return Math.round((noon(now) - noon(at)) / 86_400_000);
}

function noon(at: number): number {
  return new Date(at).setHours(12, 0, 0, 0);
}

function sameYear(a: number, b: number): boolean {
  return new Date(a).getFullYear() === new Date(b).getFullYear();
}
