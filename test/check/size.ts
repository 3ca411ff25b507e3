/** What a first visit downloads as JavaScript may not grow past the number in size.json. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import { ROOT, runTool } from '../support/tools.ts';
import limits from './size.json' with { type: 'json' };
import { filesUnder } from './sources.ts';

export async function sizeProblems(): Promise<string[]> {
  if (await isStale()) {
    const { code, output } = await runTool('vite', ['build', '--logLevel', 'warn']);
    if (code !== 0) return [`the page does not build:\n${output.trim()}`];
  }
  const html = await readFile(join(ROOT, 'dist/index.html'), 'utf8');
  const scripts = await reachable(scriptsOf(html), (path) => readFile(join(ROOT, 'dist', path), 'utf8'));
  const sizes = await Promise.all([...scripts.values()].map(brotliBytes));
  return tooMuch(sizes.reduce((sum, size) => sum + size, 0));
}

export function tooMuch(bytes: number): string[] {
  const most = limits.initialJavaScriptBrotliBytes;
  if (bytes === 0) return ['the built page loads no script: is dist/index.html the page?'];
  if (bytes <= most) return [];
  return [
    `the page's first JavaScript is ${bytes} bytes of brotli; test/check/size.json allows ${most}. ` +
      'Make it smaller, or raise the number in a commit that says why.',
  ];
}

/** Paths, from dist, of the scripts that a page loads by itself. */
export function scriptsOf(html: string): string[] {
  const tags = html.match(/<(?:script|link)\b[^>]*>/g) ?? [];
  const wanted = tags.filter((tag) => tag.startsWith('<script') || /rel="?modulepreload/.test(tag));
  return wanted
    .flatMap((tag) => /(?:src|href)="?([^"\s>]+\.js)/.exec(tag)?.[1] ?? [])
    .map((path) => path.replace(/^\.?\//, ''));
}

/** These scripts and all they import statically, by path. A dynamic `import()` is not among them. */
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
  return (await promisify(brotliCompress)(text)).length;
}

/** Whether anything the page is made of is newer than the page. */
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
