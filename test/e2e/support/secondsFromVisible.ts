/** Measures the time from `visibilitychange` until a page shows what it missed, by the page's own clock. */
import type { Page } from '@playwright/test';

/**
 * Starts the measurement: from the next `visibilitychange` until `missed` is shown and `queued`, if given, is sent. The result
 * resolves with the seconds between. It is measured in the page, since polling from outside would add up to a second.
 */
export async function secondsFromVisible(
  page: Page,
  missed: string,
  queued?: string,
): Promise<() => Promise<number>> {
  await page.evaluate(
    ([missed, queued]) => {
      const message = (body: string | undefined) =>
        [...document.querySelectorAll('[role=log] .message')].find(
          (each) => each.querySelector('.body')?.textContent === body,
        );
      const live = new Promise<number>((resolve) => {
        let looked = Number.NaN;
        document.addEventListener('visibilitychange', () => {
          looked = performance.now();
        });
        const observer = new MutationObserver(() => {
          const isSent = queued === undefined || message(queued)?.textContent.includes('Sent');
          if (!isSent || !message(missed)) return;
          observer.disconnect();
          resolve((performance.now() - looked) / 1_000);
        });
        observer.observe(document, { subtree: true, childList: true, characterData: true });
      });
      Reflect.set(globalThis, 'live', live);
    },
    [missed, queued] as const,
  );
  return () => page.evaluate(() => Reflect.get(globalThis, 'live') as Promise<number>);
}
