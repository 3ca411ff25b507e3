/** A copy of the built page for a test, and a newer build of it, which the service worker takes for an update. */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
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

/**
 * Takes the chunks with this name out of the copy, so that requests for them are answered with 404, and resolves with a
 * function that puts them back.
 */
export async function withoutChunk(folder: string, name: string): Promise<() => Promise<void>> {
  const assets = join(folder, 'assets');
  const files = (await readdir(assets)).filter((file) => file.startsWith(`${name}-`));
  if (files.length === 0) throw new Error(`the build has no chunk ${name}`);
  for (const file of files) await rename(join(assets, file), join(folder, `${file}.away`));
  return async () => {
    for (const file of files) await rename(join(folder, `${file}.away`), join(assets, file));
    await utimes(join(folder, 'index.html'), new Date(), new Date()); // the server reads the folder again
  };
}

/** As a new build whose first script has another content: its file and its entry in dist/index.html get another name. */
export async function renameScript(folder: string): Promise<void> {
  const page = await readFile(join(folder, 'index.html'), 'utf8');
  const path = /src="(\/assets\/index-[^"]+)\.js"/.exec(page)![1]!;
  for (const each of await readdir(join(folder, 'assets'))) {
    const text = await readFile(join(folder, 'assets', each), 'utf8');
    const name = path.slice('/assets/'.length);
    if (text.includes(`./${name}.js`))
      await writeFile(join(folder, 'assets', each), text.replaceAll(`./${name}.js`, `./${name}-renamed.js`));
  }
  await cp(join(folder, `${path}.js`), join(folder, `${path}-renamed.js`));
  await writeFile(join(folder, 'index.html'), page.replace(path, `${path}-renamed`));
}

/** The revision that Workbox writes for a file. */
function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
