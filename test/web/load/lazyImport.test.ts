import { afterEach, expect, test, vi } from 'vitest';
import { isOutdated, lazyImport } from '../../../web/load/lazyImport.ts';
import { whoAnswers } from '../../../web/load/whoAnswers.ts';

const { chunkUrl } = globalThis as unknown as { chunkUrl(path: string): string };

afterEach(() => vi.unstubAllGlobals());

/** As the build writes an import: its URL comes from `chunkUrl`. */
function chunk(path: string, isThere: (url: string) => boolean, asked: string[]) {
  return async () => {
    const url = chunkUrl(path);
    asked.push(url);
    await Promise.resolve();
    if (!isThere(url)) throw new TypeError('Failed to fetch dynamically imported module');
    return url;
  };
}

test('O2 a chunk that could not be fetched gets another URL, and keeps the one that worked for all its importers', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  const asked: string[] = [];
  let isThere = (_: string) => false;
  const load = () => lazyImport(chunk('./a.js', (url) => isThere(url), asked));
  const other = () => lazyImport(chunk('./b.js', () => true, asked));
  await expect(Promise.all([load(), load()])).rejects.toThrow(); // at once: they failed together
  isThere = (url) => url.endsWith('?retry=2'); // the URLs before stay spoiled, as in Firefox
  await expect(load()).rejects.toThrow();
  expect([await load(), await other(), await load()]).toEqual(['./a.js?retry=2', './b.js', './a.js?retry=2']);
  expect(asked.slice(0, 4)).toEqual(['./a.js', './a.js', './a.js?retry=1', './a.js?retry=2']);
  expect(isOutdated.get()).toBe(false);
});

test('a chunk is gone since the server has another build: the app says so', async () => {
  vi.stubGlobal('fetch', async () => page('/assets/index-new.js'));
  await expect(lazyImport(chunk('./gone.js', () => false, []))).rejects.toThrow();
  await vi.waitFor(() => expect(isOutdated.get()).toBe(true));
});

test.each([
  ['this-build', () => page('/assets/index-1.js')],
  ['other-build', () => page('/assets/index-2.js')],
  ['stranger', () => html('<html>Welcome to the hotel</html>')],
  ['stranger', () => html('<html>Sign in</html>', 401)],
  ['stranger', () => Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' })],
  ['nobody', () => html('<h1>Bad Gateway</h1>', 502)],
  ['nobody', () => html('Too many', 429)],
  ['nobody', () => Response.json({ ok: false, error: { code: 'forbidden', message: '' } }, { status: 403 })],
  ['nobody', () => Promise.reject(new TypeError('Failed to fetch'))],
])('O3 %s answers: %s', async (who, answer) => {
  expect(await whoAnswers(async () => answer(), '/assets/index-1.js')).toBe(who);
});

function page(script: string): Response {
  return html(`<script src="/too-old.js"></script><script type="module" src="${script}"></script>`);
}

function html(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/html' } });
}
