/** Counts how often the page asks for sizes and positions: each time the browser looks whether the layout of the document is up to date. */
import type { Page } from '@playwright/test';

export interface LayoutReadCounter {
  during(work: () => Promise<unknown>): Promise<number>;
}

/** Call it before the page is opened. */
export async function watchLayoutReads(page: Page): Promise<LayoutReadCounter> {
  await page.addInitScript(watch);
  const take = () => page.evaluate(() => (globalThis as unknown as Watching).takeLayoutReads());
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
  takeLayoutReads(): number;
}

/** Runs in the browser: it may use nothing from this module. */
function watch(): void {
  let count = 0;
  for (const name of ['scrollTop', 'scrollHeight', 'clientHeight'] as const) {
    const { get, set } = Object.getOwnPropertyDescriptor(Element.prototype, name)!;
    Object.defineProperty(Element.prototype, name, {
      configurable: true,
      get(this: Element) {
        count++;
        return get!.call(this);
      },
      ...(set && { set }),
    });
  }
  const { getBoundingClientRect } = Element.prototype;
  Element.prototype.getBoundingClientRect = function () {
    count++;
    return getBoundingClientRect.call(this);
  };
  Object.assign(globalThis, {
    takeLayoutReads() {
      const taken = count;
      count = 0;
      return taken;
    },
  });
}
