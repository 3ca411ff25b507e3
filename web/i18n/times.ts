/** Times for people to read, as their locale writes them and by the clock of their device. */
export interface Times {
  /** `13:04` */
  minute(at: number): string;
  /** `Tuesday 3 March`, with the year where it is another one. */
  date(at: number, now: number): string;
  /** The same, but `Today` and `Yesterday` where it is one of them. */
  day(at: number, now: number): string;
  /** For the list of rooms, short: `13:04` today, `Tue` in the last six days, then `3 Mar`, then with the year. */
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

/** The local calendar day, as a key that is the same for all moments of it. */
export function dayKey(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** Calendar days from `at` to `now`: the night counts, not the hours, and a day of 23 hours is a day. */
function daysBetween(at: number, now: number): number {
  return Math.round((noon(now) - noon(at)) / 86_400_000);
}

function noon(at: number): number {
  return new Date(at).setHours(12, 0, 0, 0);
}

function sameYear(a: number, b: number): boolean {
  return new Date(a).getFullYear() === new Date(b).getFullYear();
}
