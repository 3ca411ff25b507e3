/**
 * `npm run files-of-a-text`: lists the files of ours through which one text runs from one screen to the other.
 *
 * Starts a server on SQLite and two pages in Chromium, whose modules Vite serves one by one, and counts function calls in
 * the author's page, in every thread of the server and in the reader's page. A file is listed when one of its functions is
 * called between the tap on Send and the moment when the text is on the reader's screen and *Sent* on the author's, for
 * most of TEXTS texts: so neither start-up nor a timer that happens to fire counts. `--functions` lists the functions too.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from '@playwright/test';
import { createServer } from 'vite';
import { CHROMIUM_ARGS, findChromium, PHONE } from '../test/support/chromium.ts';
import { startServer } from '../test/support/serverProcess.ts';
import { temporaryFolder } from '../test/support/tmp.ts';
import { ROOT } from '../test/support/tools.ts';
import { waitFor } from '../test/support/waitFor.ts';

const TEXTS = 5;
/** The reader's page has sent its read mark, and nobody's page has anything more to do. */
const QUIET_MS = 2_500;

/** Names of the functions that were called, by file. */
type Called = Map<string, Set<string>>;

interface Script {
  url: string;
  functions: { functionName: string; ranges: { startOffset: number; count: number }[] }[];
}

const { values } = parseArgs({ options: { functions: { type: 'boolean', default: false } } });
const called = await measure();
report(called);

async function measure(): Promise<Called[]> {
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
    logLevel: 'warn',
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
    const takeAll = async (id: string): Promise<Called> => {
      const scripts = await Promise.all([...profilers.map(take), takeServer(folder.path, id)]);
      return calledIn(scripts.flat());
    };
    await say(author, reader, 'The first text loads what is loaded later');
    const texts: Called[] = [];
    for (let i = 1; i <= TEXTS; i++) {
      const body = `Text ${i}`;
      await author.waitForTimeout(QUIET_MS);
      await composer(author).fill(body);
      await author.waitForTimeout(QUIET_MS); // the draft is stored
      await takeAll(`before-${i}`);
      await send(author, reader, body);
      texts.push(await takeAll(`after-${i}`));
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

async function profile(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  return session;
}

/** The calls since the last time. */
async function take(session: CDPSession): Promise<Script[]> {
  return (await session.send('Profiler.takePreciseCoverage')).result;
}

/** The same of every thread of the server (test/support/callCounts.ts). */
async function takeServer(folder: string, id: string): Promise<Script[]> {
  const threads = (await readdir(folder)).filter((name) => name.startsWith('thread-'));
  await writeFile(join(folder, `take-${id}`), '');
  const paths = threads.map((name) => `${id}-${name.slice('thread-'.length)}`);
  await waitFor('every thread answers', async () => {
    const names = await readdir(folder);
    return paths.every((path) => names.includes(path));
  });
  const texts = await Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')));
  return texts.flatMap((text): Script[] => JSON.parse(text));
}

function calledIn(scripts: readonly Script[]): Called {
  const all: Called = new Map();
  for (const { url, functions } of scripts) {
    const file = fileOf(url);
    if (file === undefined) continue;
    const names = functions.flatMap(({ functionName, ranges }, index) => {
      const isModule = index === 0 && functionName === '' && ranges[0]!.startOffset === 0;
      return !isModule && ranges[0]!.count > 0 ? functionName || '(anonymous)' : [];
    });
    if (names.length > 0) all.set(file, new Set([...(all.get(file) ?? []), ...names]));
  }
  return all;
}

/** From the root of the project; undefined for what is not ours. Vite's root is web/, what lies beside it is under /@fs/. */
function fileOf(url: string): string | undefined {
  const path = url.startsWith('file:') ? fileURLToPath(url) : pathInProject(url);
  if (path === undefined) return undefined;
  const file = relative(ROOT, path);
  return /^(?:web|server|shared)\/.*\.tsx?$/.test(file) ? file : undefined;
}

function pathInProject(url: string): string | undefined {
  if (!url.startsWith('http:')) return undefined;
  const { pathname } = new URL(url);
  return pathname.startsWith('/@fs/') ? pathname.slice('/@fs'.length) : join(ROOT, 'web', pathname);
}

function report(texts: readonly Called[]): void {
  const files = [...new Set(texts.flatMap((each) => [...each.keys()]))]
    .filter((file) => texts.filter((each) => each.has(file)).length > texts.length / 2)
    .sort();
  for (const file of files) {
    const names = [...new Set(texts.flatMap((each) => [...(each.get(file) ?? [])]))];
    console.log(values.functions ? `${file}: ${names.join(', ')}` : file);
  }
  const counts = ['web', 'server', 'shared'].map(
    (top) => `${files.filter((file) => file.startsWith(`${top}/`)).length} in ${top}/`,
  );
  console.log(`\n${files.length} files: ${counts.join(', ')}`);
}
