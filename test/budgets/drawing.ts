/** Counts what the page asks of the browser's drawing. */
import type { Page } from '@playwright/test';

export interface Drawing {
  /** How often it asked for a size or a position: each time the browser looks whether the layout of the document is up to date. */
  layoutReads: number;
  /** In how many tasks lines were added to the log. */
  additions: number;
  /** In how many of these it asked for a size after that: there, a layout makes a long task longer. */
  measuredAdditions: number;
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
  const none = { layoutReads: 0, additions: 0, measuredAdditions: 0, furtherFrames: 0 };
  let counts = { ...none };
  let addition: 'none' | 'not-measured' | 'measured' = 'none'; // in this task
  const read = () => {
    counts.layoutReads++;
    if (addition !== 'not-measured') return;
    addition = 'measured';
    counts.measuredAdditions++;
  };
  for (const name of ['scrollTop', 'scrollHeight', 'clientHeight'] as const) {
    const { get, set } = Object.getOwnPropertyDescriptor(Element.prototype, name)!;
    Object.defineProperty(Element.prototype, name, {
      configurable: true,
      get(this: Element) {
        read();
        return get!.call(this);
      },
      ...(set && { set }),
    });
  }
  const { getBoundingClientRect } = Element.prototype;
  Element.prototype.getBoundingClientRect = function () {
    read();
    return getBoundingClientRect.call(this);
  };
  const { insertBefore } = Node.prototype;
  const endTask = () => {
    addition = 'none';
  };
  addEventListener('scroll', endTask, { capture: true }); // the first of what a frame does
  Node.prototype.insertBefore = function <T extends Node>(node: T, before: Node | null): T {
    if (node instanceof HTMLElement && node.dataset.key !== undefined) {
      if (addition === 'none') {
        addition = 'not-measured';
        counts.additions++;
      }
      void scheduler.postTask(endTask, { priority: 'user-blocking' }); // before whatever the page posts from now on
      requestAnimationFrame(endTask);
    }
    return insertBefore.call(this, node, before) as T;
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
      counts = { ...none };
      return taken;
    },
  });
}
