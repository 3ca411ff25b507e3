/** The built page in a folder of a test's own, and the next build of it, as the service worker tells them apart. */
import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './tools.ts';

/** Copies what `vite build` made last. */
export async function copyBuild(folder: string): Promise<void> {
  await cp(join(ROOT, 'dist'), folder, { recursive: true });
}

/** Changes a built page as another build would: dist/index.html says `data-build="NAME"`, and dist/sw.js has its new hash. */
export async function publishNewBuild(folder: string, name: string): Promise<void> {
  const page = await readFile(join(folder, 'index.html'), 'utf8');
  const worker = await readFile(join(folder, 'sw.js'), 'utf8');
  const next = page.replace('<html', `<html data-build="${name}"`);
  if (!worker.includes(md5(page)))
    throw new Error('sw.js does not list index.html by its content: has Workbox changed?');
  await writeFile(join(folder, 'index.html'), next);
  await writeFile(join(folder, 'sw.js'), worker.replace(md5(page), md5(next)));
}

/** What Workbox writes as a revision. */
function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
