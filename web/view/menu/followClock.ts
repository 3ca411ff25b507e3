import { dayKey } from '../../i18n/formats.ts';
import { renewTimes } from '../../i18n/index.ts';

/**
 * Shows all times anew when the day or the time zone of the device changes. No browser tells a page of a changed zone. Checks at
 * each full minute, when somebody comes back, since timers of a hidden page run late, and when somebody touches the page.
 */
export function followClock(): void {
  let shown = clockKey(Date.now());
  const check = () => {
    const now = clockKey(Date.now());
    if (now === shown) return;
    shown = now;
    renewTimes();
  };
  const eachMinute = () => {
    check();
    setTimeout(eachMinute, MINUTE_MS - (Date.now() % MINUTE_MS));
  };
  eachMinute();
  for (const event of ['focus', 'pageshow', 'visibilitychange', 'pointerdown', 'keydown'])
    addEventListener(event, check, { capture: true, passive: true });
}

const MINUTE_MS = 60_000;

/** Of the day and the time zone. */
function clockKey(now: number): string {
  return `${dayKey(now)} ${new Intl.DateTimeFormat('en').resolvedOptions().timeZone}`;
}
