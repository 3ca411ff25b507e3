import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import { ask, type Served, serve } from './serve.ts';

const SCRIPT = `// ${'long enough to be worth compressing '.repeat(50)}`;
const BUILD = {
  'index.html': `<!doctype html>${'<p>first</p>'.repeat(100)}`,
  'sw.js': 'first',
  'manifest.webmanifest': '{}',
  'icons/icon.png': 'PNG',
  'assets/index-abc.js': SCRIPT,
  'assets/__proto__': 'odd',
};

async function build(folder: string, files: Record<string, string | Buffer>) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

describe('a built page', () => {
  let folder: TemporaryFolder;
  let server: Served;
  beforeAll(async () => {
    folder = await temporaryFolder();
    await build(folder.path, BUILD);
    server = await serve({ folder: folder.path });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await folder.remove();
  });
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    ask(server.url, method, path, { headers });

  test.each([
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/index.html', 'text/html; charset=utf-8', 'no-cache'],
    ['/sw.js', 'text/javascript; charset=utf-8', 'no-cache'],
    ['/manifest.webmanifest', 'application/manifest+json', 'no-cache'],
    ['/icons/icon.png', 'image/png', 'no-cache'],
    ['/assets/index-abc.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
  ])('%s is %s, %s', async (path, type, cache) => {
    const { status, headers } = await get(path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': expect.stringContaining(type), 'cache-control': cache });
  });

  test('is compressed in an encoding that the client accepts', async () => {
    const plain = await get('/assets/index-abc.js');
    const br = await get('/assets/index-abc.js', { 'accept-encoding': 'gzip, deflate, br' });
    const gzip = await get('/assets/index-abc.js', { 'accept-encoding': 'gzip' });
    expect([plain, br, gzip].map(({ headers }) => headers['content-encoding'])).toEqual([
      undefined,
      'br',
      'gzip',
    ]);
    expect(plain.text).toBe(SCRIPT);
    expect(brotliDecompressSync(br.bytes).toString()).toBe(SCRIPT);
    expect(gunzipSync(gzip.bytes).toString()).toBe(SCRIPT);
    expect(Number(br.headers['content-length'])).toBe(br.bytes.length);
    expect(br.headers.vary).toContain('Accept-Encoding');
  });

  test('is not sent again to a client that has it, and HEAD has no body', async () => {
    const first = await get('/');
    const again = await get('/', { 'if-none-match': first.headers.etag! });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', first.headers.etag]);
    const head = await get('/', {}, 'HEAD');
    expect([head.status, head.text, head.headers['content-length']]).toEqual([
      200,
      '',
      first.headers['content-length'],
    ]);
  });

  test('is sent for its own paths, to navigations only', async () => {
    const html = { accept: 'text/html,application/xhtml+xml' };
    expect((await get('/room/lobby', html)).text).toContain('first');
    expect((await get('/room/lobby')).status).toBe(404);
    expect((await get('/missing.js', html)).status).toBe(404);
    expect((await get('/assets/index-old.js', html)).status).toBe(404);
    expect((await get('/api/none', html)).text).toContain('not-found');
    expect((await get('/room/lobby', html, 'POST')).status).toBe(404);
  });

  test('no path leads out of the folder', async () => {
    const tries = [
      '/../package.json',
      '/assets/../../etc/passwd',
      '/%2e%2e/etc/passwd',
      '//etc/passwd',
      '/__proto__',
    ];
    for (const path of [...tries, '/constructor', '/assets', '/assets/', '/..%5c', '/%00', '/%']) {
      expect((await get(path)).status, path).toBe(404);
    }
  });
});

test('a new build is found while the server runs; files of the earlier build stay for open pages', async () => {
  await using folder = await temporaryFolder();
  const clock = { now: 0 };
  await build(folder.path, BUILD);
  await using server = await serve({ folder: folder.path, now: () => clock.now });
  const text = async (path: string) => (await ask(server.url, 'GET', path)).text;
  expect(await text('/sw.js')).toBe('first');

  await rm(folder.path, { recursive: true });
  clock.now += 1_000;
  expect(await text('/')).toContain('first'); // during a build there is no page for a moment

  await build(folder.path, { 'index.html': 'second', 'assets/index-def.js': 'new' });
  clock.now += 1_000;
  expect(await text('/')).toBe('second');
  expect(await text('/assets/index-def.js')).toBe('new');
  expect(await text('/assets/index-abc.js')).toBe(SCRIPT);

  await build(folder.path, { 'sw.js': 'third' });
  await utimes(join(folder.path, 'sw.js'), 1, 1);
  expect(await text('/sw.js')).toBe('first'); // checked a moment ago
  clock.now += 1_000;
  expect(await text('/sw.js')).toBe('third');
});

describe('what the build has compressed', () => {
  const built = brotliCompressSync(SCRIPT, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
  const sent = async (path: string, files: Record<string, string | Buffer>) => {
    await using folder = await temporaryFolder();
    await build(folder.path, { ...BUILD, ...files });
    await using server = await serve({ folder: folder.path });
    return await ask(server.url, 'GET', path, { headers: { 'accept-encoding': 'br' } });
  };

  test('is sent as it is', async () => {
    const { bytes } = await sent('/assets/index-abc.js', { 'assets/index-abc.js.br': built });
    expect(bytes).toEqual(built);
  });

  test.each([
    ['another text', brotliCompressSync(`${SCRIPT.slice(1)}.`)],
    ['a longer text', brotliCompressSync(`${SCRIPT}${SCRIPT}`)],
    ['a shorter text', brotliCompressSync('short')],
    ['damaged', built.subarray(0, 40)],
    ['empty', ''],
  ])('is not sent where it is not of this file: %s', async (_, other) => {
    const { bytes } = await sent('/assets/index-abc.js', { 'assets/index-abc.js.br': other });
    expect(brotliDecompressSync(bytes).toString()).toBe(SCRIPT);
  });

  test('has no address of its own', async () => {
    const { status } = await sent('/assets/index-abc.js.br', { 'assets/index-abc.js.br': built });
    expect(status).toBe(404);
  });
});

test('without a build it says how to make one, and finds it later', async () => {
  await using folder = await temporaryFolder();
  const clock = { now: 0 };
  await using server = await serve({ folder: join(folder.path, 'dist'), now: () => clock.now });
  const missing = await ask(server.url, 'GET', '/');
  expect([missing.status, missing.text]).toEqual([404, expect.stringContaining('npm run build')]);
  await build(join(folder.path, 'dist'), { 'index.html': 'made' });
  clock.now += 1_000;
  expect((await ask(server.url, 'GET', '/')).text).toBe('made');
});
