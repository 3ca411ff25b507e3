/**
 * Counts how often the views render: by the call counts of V8's precise coverage, so the page that is counted is the one that
 * people get.
 */
import type { CDPSession, Page } from '@playwright/test';

/** Each view of the first chunk with a piece of its minified code that no other view has. */
const VIEWS = {
  app: '`panes in-room`',
  rooms: 'class:`rooms`',
  roomLink: '"aria-current"',
  room: '`main`,{class:`pane`',
  log: 'class:`talk`',
  bubble: '"data-key":',
  composer: 'class:`composer`',
} as const;

export type Renders = Record<keyof typeof VIEWS, number>;

export interface RenderCounter {
  /** How often each view rendered during `work`. */
  during(work: () => Promise<unknown>): Promise<Renders>;
}

/** Call it before the page is opened, and `found` when all views are on the screen. */
export async function watchRenders(page: Page): Promise<{ found(): Promise<RenderCounter> }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Profiler.enable');
  await cdp.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  return {
    async found() {
      const script = (await functionsCalled(cdp)).find(({ url }) => /\/assets\/index-.*\.js$/.test(url))!;
      const code = await page.evaluate((url) => fetch(url).then((answer) => answer.text()), script.url);
      const places = Object.entries(VIEWS).map(([view, piece]) => {
        const at = code.indexOf(piece);
        if (at < 0 || code.includes(piece, at + 1)) throw new Error(`${piece} is not in the code once`);
        const around = script.functions.map(({ ranges }) => ranges[0]!).filter((one) => isIn(at, one));
        const { startOffset } = around.reduce((a, b) => (sizeOf(a) <= sizeOf(b) ? a : b));
        if (startOffset === 0) throw new Error(`the view with ${piece} has not rendered`);
        return { view, startOffset };
      });
      const countsNow = async () => {
        const called = (await functionsCalled(cdp)).find(({ url }) => url === script.url)?.functions ?? [];
        const counts = new Map(called.map(({ ranges: [all] }) => [all!.startOffset, all!.count]));
        return Object.fromEntries(
          places.map(({ view, startOffset }) => [view, counts.get(startOffset) ?? 0]),
        );
      };
      return {
        async during(work) {
          await countsNow(); // each reading sets the counts to zero
          await work();
          return (await countsNow()) as Renders;
        },
      };
    },
  };
}

async function functionsCalled(cdp: CDPSession) {
  return (await cdp.send('Profiler.takePreciseCoverage')).result;
}

interface Range {
  startOffset: number;
  endOffset: number;
}

function isIn(at: number, { startOffset, endOffset }: Range): boolean {
  return at >= startOffset && at < endOffset;
}

function sizeOf({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset;
}
