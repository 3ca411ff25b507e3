/** Counts what the page asks of the browser's drawing. */
import type { Page } from '@playwright/test';

export interface Drawing {
  /** How often it asked for a size or a position: each time the browser looks whether the layout of the document is up to date. */
  layoutReads: number;
  /** How often it asked for a frame while one was drawn: the browser draws each, although nothing may have changed. */
  furtherFrames: number;
}

export interface DrawingCounter {
  during(work: () => Promise<unknown>): Promise<Drawing>;
}

/** Call it before the page is opened. */
export async function watchDrawing(page: Page): Promise<DrawingCounter> {
  await page.addInitScript(watch);
  const take = () => page.evaluate(() => (globalThis as unknown as Watching).takeDrawing());
  return {
    async during(work) {
      await take();
      await work();
      return take();
    },
  };
}

interface Watching {
  /** The numbers since the last call. */
  takeDrawing(): Drawing;
}

/** Runs in the browser: it may use nothing from this module. */
function watch(): void {
  let counts = { layoutReads: 0, furtherFrames: 0 };
  for (const name of ['scrollTop', 'scrollHeight', 'clientHeight'] as const) {
    const { get, set } = Object.getOwnPropertyDescriptor(Element.prototype, name)!;
    Object.defineProperty(Element.prototype, name, {
      configurable: true,
      get(this: Element) {
        counts.layoutReads++;
        return get!.call(this);
      },
      ...(set && { set }),
    });
  }
  const { getBoundingClientRect } = Element.prototype;
  Element.prototype.getBoundingClientRect = function () {
    counts.layoutReads++;
    return getBoundingClientRect.call(this);
  };
  const { requestAnimationFrame } = globalThis;
  let isDrawing = false;
  globalThis.requestAnimationFrame = (callback) => {
    if (isDrawing) counts.furtherFrames++;
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
    takeDrawing() {
      const taken = counts;
      counts = { layoutReads: 0, furtherFrames: 0 };
      return taken;
    },
  });
}
