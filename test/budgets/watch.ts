/** Observers that run in the measured page, before its first script. Passed to the browser as text, so it may use nothing from this module. */
import type { Page } from '@playwright/test';

export interface Watched {
  /** Values of all layout shifts so far without recent input, with the moved elements. */
  shifts: { value: number; at: number; what: string[] }[];
  /** Durations of the long tasks (at least 50 ms). */
  longTasks: { ms: number; at: number }[];
  /** Jumps of the log in pixels: movements that are larger than the gesture can scroll in that time. */
  jumps: number[];
  /** Looks for jumps until `stopLooking`. This makes the page draw every frame, each with a layout: times measured meanwhile are longer. */
  lookForJumps(): void;
  stopLooking(): void;
  /** The maximum number of messages in the document. */
  mostRows: number;
  /** When the first frame with this many messages was painted, in ms since the navigation began. */
  shown(count: number): Promise<number>;
  /** Waits for the next tap. To be called before the touch begins: on a slow page a touch overtakes what a test asks of it. */
  expectTap(body: string): void;
  /** Times of the expected tap: the end of the touch, the durable row, the painted row. */
  tap: Promise<Tap> | undefined;
}

export interface Tap {
  at: number;
  durable: number;
  shown: number;
}

export function shiftOf(page: Page): Promise<number> {
  return page.evaluate(() => watched.shifts.reduce((sum, { value }) => sum + value, 0));
}

/** A description of the moved elements, for failed tests. */
export function whatMoved(page: Page): Promise<string> {
  return page.evaluate(() => JSON.stringify({ shifts: watched.shifts, jumps: watched.jumps }, null, 1));
}

declare const watched: Watched;

export function watch(): void {
  const SCROLLED_PX_PER_MS = 7.5; // 1.5 times the speed of scrolling.ts
  let looking = 0;
  const watched: Watched = {
    shifts: [],
    longTasks: [],
    jumps: [],
    lookForJumps,
    stopLooking: () => cancelAnimationFrame(looking),
    mostRows: 0,
    shown,
    expectTap(body) {
      watched.tap = nextTap(body);
    },
    tap: undefined,
  };
  Object.assign(globalThis, { watched });

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as unknown as LayoutShift[]) {
      if (entry.hadRecentInput) continue;
      const what = entry.sources.map(({ node, previousRect, currentRect }) => {
        const name = node instanceof Element ? `${node.tagName} ${node.className}` : String(node?.nodeName);
        return `${name} ${JSON.stringify(previousRect)} → ${JSON.stringify(currentRect)}`;
      });
      watched.shifts.push({ value: entry.value, at: entry.startTime, what });
    }
  }).observe({ type: 'layout-shift', buffered: true });

  new PerformanceObserver((list) => {
    for (const { duration, startTime } of list.getEntries())
      watched.longTasks.push({ ms: duration, at: startTime });
  }).observe({ type: 'longtask', buffered: true });

  const lookers = new Set<() => void>();
  new MutationObserver(() => {
    watched.mostRows = Math.max(watched.mostRows, rows().length);
    for (const look of [...lookers]) look();
  }).observe(document, { childList: true, subtree: true });

  const written = new Set<(at: number) => void>();
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (names, mode, options) {
    const tx = transaction.call(this, names, mode, options);
    const queues = [...tx.objectStoreNames].join() === 'drafts,rows'; // web/outbox/enqueue.ts
    if (mode === 'readwrite' && queues && tx.durability === 'strict')
      tx.addEventListener('complete', () => {
        for (const tell of [...written]) tell(performance.now());
      });
    return tx;
  };

  function lookForJumps(): void {
    let looked: { row: Element; top: number; since: number } | undefined;
    let before = performance.now();
    const measure = () => {
      const now = performance.now();
      if (looked?.row.isConnected) {
        const moved = looked.row.getBoundingClientRect().top - looked.top;
        const canBe = innerHeight + SCROLLED_PX_PER_MS * (now - looked.since);
        if (Math.abs(moved) > canBe) watched.jumps.push(moved);
      }
      const row = rows()[rows().length >> 1]; // lines are added and removed only at the ends
      // A frame shows the scroll position at some time since the previous frame.
      looked = row && { row, top: row.getBoundingClientRect().top, since: before };
      before = now;
    };
    looking = requestAnimationFrame(function look() {
      // as it will be painted: what is observed anew is told after all callbacks of the frame, and its layout
      const drawn = new ResizeObserver(() => {
        drawn.disconnect();
        measure();
      });
      drawn.observe(document.documentElement);
      looking = requestAnimationFrame(look);
    });
  }

  function rows(): HTMLCollectionOf<Element> {
    return document.getElementsByClassName('message');
  }

  function shown(count: number): Promise<number> {
    return seen(() => rows().length >= count);
  }

  async function nextTap(body: string): Promise<Tap> {
    const shownAt = seen(() => [...rows()].at(-1)?.querySelector('.body')?.textContent === body);
    const at = await new Promise<number>((resolve) => {
      addEventListener('pointerup', ({ timeStamp }) => resolve(timeStamp), { once: true, capture: true });
    });
    const durable = await new Promise<number>((resolve) => {
      written.add(function first(time) {
        written.delete(first);
        resolve(time);
      });
    });
    return { at, durable, shown: await shownAt };
  }

  /** Resolves with the paint time of the first frame in which `is` is true. */
  function seen(is: () => boolean): Promise<number> {
    return new Promise((resolve) => {
      const look = () => {
        if (!is()) return;
        lookers.delete(look);
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve(performance.now()); // the first task after the frame
          port2.postMessage(0);
        });
      };
      lookers.add(look);
      look();
    });
  }
}

/** Not in TypeScript's DOM types yet. */
interface LayoutShift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[];
}
