/**
 * Imports the chunks that the page fetches after its first paint. Firefox, and older versions of Chromium, remember for as
 * long as the page is open that a module could not be fetched. So after a failure the chunk gets another URL: `?retry=1`,
 * `?retry=2` … No module is evaluated twice: the URL changes only while the chunk has never been imported, and the chunk
 * imports only what the page has started with (vite.config.ts checks that).
 */
import { createCell, type Readable } from '../records/cell.ts';
import { whoAnswers } from './whoAnswers.ts';

const outdated = createCell(false);

/** A chunk could not be fetched, since the server has another build by now. Only a reload helps. */
export const isOutdated: Readable<boolean> = outdated;

/** Failed imports, by the path of the chunk. */
const failures = new Map<string, number>();
let asked = '';

/** In the built page each dynamic import takes its URL from here: vite.config.ts replaces the constant path by a call. */
Object.assign(globalThis, {
  chunkUrl(path: string): string {
    asked = path;
    const count = failures.get(path);
    return count === undefined ? path : `${path}?retry=${count}`;
  },
});

/** `load` is `() => import('…')`. Rejects where the chunk cannot be fetched; the next call tries again. */
export async function lazyImport<T>(load: () => Promise<T>): Promise<T> {
  const loading = load();
  const path = asked;
  const before = failures.get(path) ?? 0;
  try {
    return await loading;
  } catch (error) {
    failures.set(path, before + 1);
    void whoAnswers(fetch).then((who) => who === 'other-build' && outdated.set(true));
    throw error;
  }
}
