/**
 * `npm run files-of-a-text`: lists the files of ours through which one text runs from one screen to the other.
 *
 * Starts a server on SQLite and two pages in Chromium, whose modules Vite serves one by one, and sends texts from one page to
 * the other. Of the time between the tap on Send and the moment when the text is on the reader's screen and *Sent* on the
 * author's, it lists two things, for both pages and all threads of the server:
 * - the path: files with a function that gets the text as an argument, or within one (test/support/textPath.ts);
 * - the others: files with a function that is called for any reason. Start-up does not count.
 * A file is listed if that is so for most of TEXTS texts. `--functions` lists the called functions.
 */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from '@playwright/test';
import { createServer } from 'vite';
import type { ThreadCalls } from '../test/support/callCounts.ts';
import { CHROMIUM_ARGS, findChromium, PHONE } from '../test/support/chromium.ts';
import { startServer } from '../test/support/serverProcess.ts';
import { installTextPath, instrument } from '../test/support/textPath.ts';
import { temporaryFolder } from '../test/support/tmp.ts';
import { ROOT } from '../test/support/tools.ts';
import { waitFor } from '../test/support/waitFor.ts';

const TEXTS = 5;
/** Long enough for the reader's page to send its read marker, and for both pages to become idle. */
const QUIET_MS = 2_500;

interface Taken {
  /** Names of the functions that were called, by file. */
  called: Map<string, Set<string>>;
  /** Files with a function that got the text. */
  path: Set<string>;
}

const { values } = parseArgs({ options: { functions: { type: 'boolean', default: false } } });
report(await measure());

async function measure(): Promise<Taken[]> {
  await using folder = await temporaryFolder();
  await using server = await startServer({
    env: {
      LOG_LEVEL: 'info',
      CALLS_FOLDER: folder.path,
      NODE_OPTIONS: `--import=${pathToFileURL(join(ROOT, 'test/support/callCounts.ts'))}`,
    },
  });
  const vite = await createServer({
    configFile: join(ROOT, 'vite.config.ts'),
    logLevel: 'error',
    plugins: [{ name: 'text-path', enforce: 'post', transform: instrumented }],
    server: {
      port: 0,
      hmr: false,
      watch: null,
      // the header `Host` stays that of the page, as behind a proxy of the same origin
      proxy: {
        '/api': { target: server.url, changeOrigin: false },
        '/socket.io': { target: server.url, changeOrigin: false, ws: true },
      },
    },
  });
  await vite.listen();
  const url = vite.resolvedUrls!.local[0]!;
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('There is no Chromium here: set CHROMIUM_PATH.');
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
  try {
    const author = await signUp(browser, url, 'Ada');
    const reader = await signUp(browser, url, 'Bob');
    const profilers = [await profile(author), await profile(reader)];
    const takeAll = async (id: string, next: string): Promise<Taken> =>
      merged(
        await Promise.all([
          ...profilers.map((page) => takePage(page, next)),
          takeServer(folder.path, id, next),
        ]),
      );
    await say(author, reader, 'The first text loads what is loaded later');
    const texts: Taken[] = [];
    for (let i = 1; i <= TEXTS; i++) {
      const body = `Text number ${i}`;
      await author.waitForTimeout(QUIET_MS);
      await composer(author).fill(body);
      await author.waitForTimeout(QUIET_MS); // the draft is stored
      await takeAll(`before-${i}`, body);
      await send(author, reader, body);
      texts.push(await takeAll(`after-${i}`, ''));
    }
    return texts;
  } finally {
    await browser.close();
    await vite.close();
  }
}

async function signUp(browser: Browser, baseURL: string, name: string): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ ...PHONE, baseURL, locale: 'en-GB' });
  const page = await context.newPage();
  await page.addInitScript(installTextPath);
  await page.goto('/');
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await composer(page).waitFor({ timeout: 60_000 });
  return page;
}

function composer(page: Page) {
  return page.getByRole('textbox', { name: 'Message' });
}

async function say(author: Page, reader: Page, body: string): Promise<void> {
  await composer(author).fill(body);
  await send(author, reader, body);
}

/** Resolves when it is on the reader's screen, and marked as sent on the author's. */
async function send(author: Page, reader: Page, body: string): Promise<void> {
  const line = (page: Page) =>
    page
      .getByRole('log')
      .locator('.message')
      .filter({ has: page.getByText(body, { exact: true }) });
  await author.getByRole('button', { name: 'Send', exact: true }).click();
  await Promise.all([
    line(reader).waitFor(),
    line(author).getByText('Sent', { exact: true }).waitFor({ state: 'attached' }),
  ]);
}

interface Profiled {
  page: Page;
  session: CDPSession;
}

async function profile(page: Page): Promise<Profiled> {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  return { page, session };
}

/** What happened since the last time; looks for the text `next` from now on. */
async function takePage({ page, session }: Profiled, next: string): Promise<ThreadCalls[]> {
  const { result } = await session.send('Profiler.takePreciseCoverage');
  const textPath = await page.evaluate((text) => {
    const files = globalThis.textPath!.files();
    globalThis.textPath!.expect(text);
    return files;
  }, next);
  return [{ scripts: result, textPath }];
}

/** The same of every thread of the server (test/support/callCounts.ts). */
async function takeServer(folder: string, id: string, next: string): Promise<ThreadCalls[]> {
  const threads = (await readdir(folder)).filter((name) => name.startsWith('thread-'));
  await writeFile(join(folder, `next-${id}`), next);
  await rename(join(folder, `next-${id}`), join(folder, `take-${id}`));
  const paths = threads.map((name) => `${id}-${name.slice('thread-'.length)}`);
  await waitFor('every thread answers', async () => {
    const names = await readdir(folder);
    return paths.every((path) => names.includes(path));
  });
  return Promise.all(paths.map(async (path) => JSON.parse(await readFile(join(folder, path), 'utf8'))));
}

function merged(parts: readonly ThreadCalls[][]): Taken {
  const called: Taken['called'] = new Map();
  for (const { url, functions } of parts.flat().flatMap(({ scripts }) => scripts)) {
    const file = fileOf(url);
    if (file === undefined) continue;
    const names = functions.flatMap(({ functionName, ranges }, index) => {
      const isModule = index === 0 && functionName === '' && ranges[0]!.startOffset === 0;
      return !isModule && ranges[0]!.count > 0 ? functionName || '(anonymous)' : [];
    });
    if (names.length > 0) called.set(file, new Set([...(called.get(file) ?? []), ...names]));
  }
  return { called, path: new Set(parts.flat().flatMap(({ textPath }) => textPath)) };
}

/** For Vite: our modules with a call in every function. */
function instrumented(code: string, id: string): string | undefined {
  const file = relative(ROOT, id.replace(/\?.*/, ''));
  return isOurs(file) ? instrument(code, file) : undefined;
}

/** From the root of the project; undefined for what is not ours. Vite's root is web/, what lies beside it is under /@fs/. */
function fileOf(url: string): string | undefined {
  const path = url.startsWith('file:') ? fileURLToPath(url) : pathInProject(url);
  if (path === undefined) return undefined;
  const file = relative(ROOT, path);
  return isOurs(file) ? file : undefined;
}

function isOurs(file: string): boolean {
  return /^(?:web|server|shared)\/.*\.tsx?$/.test(file);
}

function pathInProject(url: string): string | undefined {
  if (!url.startsWith('http:')) return undefined;
  const { pathname } = new URL(url);
  return pathname.startsWith('/@fs/') ? pathname.slice('/@fs'.length) : join(ROOT, 'web', pathname);
}

function report(texts: readonly Taken[]): void {
  const mostly = (has: (taken: Taken) => Iterable<string>) => {
    const times = new Map<string, number>();
    for (const file of texts.flatMap((taken) => [...has(taken)])) times.set(file, (times.get(file) ?? 0) + 1);
    return [...times].flatMap(([file, count]) => (count > texts.length / 2 ? file : [])).sort();
  };
  const path = mostly((taken) => taken.path);
  const called = mostly((taken) => taken.called.keys());
  const functionsOf = (file: string) => [
    ...new Set(texts.flatMap(({ called }) => [...(called.get(file) ?? [])])),
  ];
  const list = (files: readonly string[]) => {
    for (const file of files)
      console.log(values.functions ? `${file}: ${functionsOf(file).join(', ')}` : file);
  };
  console.log('The text runs through:');
  list(path);
  console.log('\nBesides, a function is called in:');
  list(called.filter((file) => !path.includes(file)));
  console.log(`\nThe text runs through ${countOf(path)}.\nFunctions are called in ${countOf(called)}.`);
}

function countOf(files: readonly string[]): string {
  const tops = ['web', 'server', 'shared'].map(
    (top) => `${files.filter((file) => file.startsWith(`${top}/`)).length} in ${top}/`,
  );
  return `${files.length} files: ${tops.join(', ')}`;
}
