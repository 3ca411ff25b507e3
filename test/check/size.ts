/**
 * What the built page costs: the JavaScript of a first visit, and the service worker, stay below the numbers in budgets.json;
 * each script begins with the line that lets Chromium compile its functions before they are called.
 */
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import budgets from '../budgets/budgets.json' with { type: 'json' };
import { ROOT, runTool } from '../support/tools.ts';
import { filesUnder } from './sources.ts';

/** A hint of Chromium (https://github.com/WICG/explicit-javascript-compile-hints-file-based). */
const COMPILED_AT_LOAD = '//# allFunctionsCalledOnLoad';

/** In bytes of brotli. */
export interface Sizes {
  initialJavaScript: number;
  serviceWorker: number;
}

export async function sizeProblems(): Promise<string[]> {
  const problems = await buildIfStale();
  if (problems.length > 0) return problems;
  return [...tooMuch(await sizesOfPage()), ...compiledLate(await scriptsBuilt())];
}

/** Builds the page if a source is newer. Resolves with the build errors. */
export async function buildIfStale(): Promise<string[]> {
  if (!(await isStale())) return [];
  const { code, output } = await runTool('vite', ['build', '--logLevel', 'warn']);
  return code === 0 ? [] : [`the page does not build:\n${output.trim()}`];
}

/** The sizes of the last build. */
export async function sizesOfPage(): Promise<Sizes> {
  const built = (path: string) => readFile(join(ROOT, 'dist', path), 'utf8');
  const scripts = await reachable(scriptsOf(await built('index.html')), built);
  const sizes = await Promise.all([...scripts.values()].map(brotliBytes));
  return {
    initialJavaScript: sizes.reduce((sum, size) => sum + size, 0),
    serviceWorker: await brotliBytes(await built('sw.js')),
  };
}

export function tooMuch({ initialJavaScript, serviceWorker }: Sizes): string[] {
  if (initialJavaScript === 0) return ['the built page loads no script: is dist/index.html the page?'];
  return [
    ...over("the page's first JavaScript", initialJavaScript, budgets.initialJavaScriptBrotliBytes),
    ...over('the service worker', serviceWorker, budgets.serviceWorkerBrotliBytes),
  ];
}

/** Those of these scripts, by name, of which Chromium would compile each function when it is first called (vite.config.ts). */
export function compiledLate(scripts: ReadonlyMap<string, string>): string[] {
  const late = [...scripts].filter(([, text]) => !text.startsWith(`${COMPILED_AT_LOAD}\n`));
  return late.map(([name]) => `${name} does not begin with the line ${COMPILED_AT_LOAD}`);
}

/** The scripts of the page in dist, first and lazy ones, by name. */
async function scriptsBuilt(): Promise<Map<string, string>> {
  const folder = join(ROOT, 'dist/assets');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}

function over(what: string, bytes: number, most: number): string[] {
  if (bytes <= most) return [];
  return [
    `${what} is ${bytes} bytes of brotli; test/budgets/budgets.json allows ${most}. ` +
      'Make it smaller, or raise the number in a commit that says why.',
  ];
}

/** The scripts that the page loads statically, as paths from dist. */
export function scriptsOf(html: string): string[] {
  const tags = html.match(/<(?:script|link)\b[^>]*>/g) ?? [];
  const wanted = tags.filter((tag) => tag.startsWith('<script') || /rel="?modulepreload/.test(tag));
  return wanted
    .flatMap((tag) => /(?:src|href)="?([^"\s>]+\.js)/.exec(tag)?.[1] ?? [])
    .map((path) => path.replace(/^\.?\//, ''));
}

/** These scripts and all their static imports, by path; without dynamic `import()`. */
export async function reachable(
  paths: readonly string[],
  read: (path: string) => Promise<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const queue = [...paths];
  for (const path of queue) {
    if (found.has(path)) continue;
    const text = await read(path);
    found.set(path, text);
    queue.push(...staticImports(text).map((specifier) => posix.join(posix.dirname(path), specifier)));
  }
  return found;
}

function staticImports(script: string): string[] {
  return [...script.matchAll(/\b(?:import|from)\s*["'](\.[^"']+\.js)["']/g)].map((match) => match[1]!);
}

async function brotliBytes(text: string): Promise<number> {
  return (await promisify(brotliCompress)(withFixedHashes(text))).length;
}

/**
 * The hashes of other files, replaced by as many characters that depend on the name of the file alone. One script of 17,000 bytes
 * was 72 bytes larger or smaller by the hashes that it happened to name; so its size changes with its code alone.
 */
export function withFixedHashes(script: string): string {
  return script
    .replaceAll(/(assets\/|\.\/)(\w+)-[\w-]{8}(\.(?:js|css))/g, (_, folder, name, ending) => {
      return `${folder}${name}-${hash('sha256', name + ending, 'base64url').slice(0, 8)}${ending}`;
    })
    .replaceAll(/"revision":"[0-9a-f]{32}","url":"([^"]+)"/g, (_, url) => {
      return `"revision":"${hash('md5', url)}","url":"${url}"`;
    });
}

/** True if a source of the page is newer than its build. */
async function isStale(): Promise<boolean> {
  const built = join(ROOT, 'dist/index.html');
  if (!existsSync(built)) return true;
  const folders = await Promise.all(['web', 'shared', 'public'].map((folder) => filesUnder(folder)));
  const parts = [...folders.flat(), 'index.html', 'web/index.html', 'vite.config.ts', 'package-lock.json'];
  const times = await Promise.all([...new Set(parts)].map(changedAt));
  return Math.max(...times) > (await stat(built)).mtimeMs;
}

async function changedAt(path: string): Promise<number> {
  const full = join(ROOT, path);
  return existsSync(full) ? (await stat(full)).mtimeMs : 0;
}
