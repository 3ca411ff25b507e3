/** The project's own source files, as the checks look at them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/tools.ts';

export interface Source {
  /** From the root of the project, with slashes. */
  path: string;
  text: string;
}

/** All TypeScript of the product: shared, server, web. */
export async function readSources(): Promise<Source[]> {
  const folders = await Promise.all(['shared', 'server', 'web'].map(filesUnder));
  const paths = folders.flat().filter((path) => /\.tsx?$/.test(path));
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(ROOT, path), 'utf8') })));
}

/** Every file under a folder of the project, sorted. */
export async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(ROOT.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/** What lies in the root of the project, without what .gitignore leaves out. */
export async function topLevel(): Promise<{ files: string[]; folders: string[] }> {
  const ignored = new Set(['.git', ...(await readFile(join(ROOT, '.gitignore'), 'utf8')).split(/\/?\n/)]);
  const entries = await readdir(ROOT, { withFileTypes: true });
  const kept = entries.filter(({ name }) => !ignored.has(name));
  return {
    files: kept.filter((entry) => entry.isFile()).map(({ name }) => name),
    folders: kept.filter((entry) => entry.isDirectory()).map(({ name }) => name),
  };
}
