/** A copy of the built page for a test, and a newer build of it, which the service worker takes for an update. */
import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './tools.ts';

/** Copies the result of the last `vite build`. */
export async function copyBuild(folder: string): Promise<void> {
  await cp(join(ROOT, 'dist'), folder, { recursive: true });
}

/** Turns the copy into a new build: dist/index.html has `data-build="NAME"`, and dist/sw.js has its new hash. */
export async function publishNewBuild(folder: string, name: string): Promise<void> {
  const page = await readFile(join(folder, 'index.html'), 'utf8');
  const worker = await readFile(join(folder, 'sw.js'), 'utf8');
  const next = page.replace('<html', `<html data-build="${name}"`);
  if (!worker.includes(md5(page)))
    throw new Error('sw.js does not list index.html by its content: has Workbox changed?');
  await writeFile(join(folder, 'index.html'), next);
  await writeFile(join(folder, 'sw.js'), worker.replace(md5(page), md5(next)));
}

/** The revision that Workbox writes for a file. */
function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
