/** Counts the frames that the page asks for while one is drawn: the browser draws each, although nothing may have changed. */
import type { Page } from '@playwright/test';

export interface FrameCounter {
  during(work: () => Promise<unknown>): Promise<number>;
}

/** Call it before the page is opened. */
export async function watchFurtherFrames(page: Page): Promise<FrameCounter> {
  await page.addInitScript(watch);
  const take = () => page.evaluate(() => (globalThis as unknown as Watching).takeFurtherFrames());
  return {
    async during(work) {
      await take();
      await work();
      return take();
    },
  };
}

interface Watching {
  /** The number of those since the last call. */
  takeFurtherFrames(): number;
}

/** Runs in the browser: it may use nothing from this module. */
function watch(): void {
  let count = 0;
  let isDrawing = false;
  const { requestAnimationFrame } = globalThis;
  globalThis.requestAnimationFrame = (callback) => {
    if (isDrawing) count++;
    return requestAnimationFrame((time) => {
      isDrawing = true;
      try {
        callback(time);
      } finally {
        isDrawing = false;
      }
    });
  };
  Object.assign(globalThis, {
    takeFurtherFrames() {
      const taken = count;
      count = 0;
      return taken;
    },
  });
}
