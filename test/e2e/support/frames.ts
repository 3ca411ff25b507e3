/** Records what each frame of a page shows. */
import type { Page } from '@playwright/test';

/** From now on. `withoutLines`: the number of frames with a log in which no message was in view. */
export async function recordFrames(page: Page): Promise<{ withoutLines(): Promise<number> }> {
  await page.evaluate(() => {
    const shown = { frames: 0, withoutLines: 0 };
    Object.assign(window, { shown });
    const look = () => {
      const log = document.querySelector('.log');
      if (log && log.clientHeight > 0) {
        const { top, bottom } = log.getBoundingClientRect();
        const rows = [...log.querySelectorAll('[data-key]')].map((row) => row.getBoundingClientRect());
        shown.frames++;
        if (!rows.some((row) => row.bottom > top && row.top < bottom)) {
          shown.withoutLines++;
          console.log(
            'BLANK',
            performance.now(),
            log.innerHTML.length,
            rows.length,
            log.scrollTop,
            log.scrollHeight,
            location.hash,
            document.querySelector('.room')?.getAttribute('aria-current'),
          );
        }
      }
    };
    // A task after the frame's callbacks sees what the frame has painted.
    const everyFrame = () => {
      const channel = new MessageChannel();
      channel.port1.onmessage = look;
      channel.port2.postMessage(undefined);
      requestAnimationFrame(everyFrame);
    };
    requestAnimationFrame(everyFrame);
  });
  return {
    withoutLines: () =>
      page.evaluate(() => (window as unknown as { shown: { withoutLines: number } }).shown.withoutLines),
  };
}
