/** Reads the source files of the project for the checks. */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ROOT } from '../support/tools.ts';

export interface Source {
  /** From the root of the project, with slashes. */
  path: string;
  text: string;
}

/** All production TypeScript: shared, server, web. */
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

/** Files and folders in the root of the project, without those in .gitignore. */
export async function topLevel(): Promise<{ files: string[]; folders: string[] }> {
  const ignored = new Set(['.git', ...(await readFile(join(ROOT, '.gitignore'), 'utf8')).split(/\/?\n/)]);
  const entries = await readdir(ROOT, { withFileTypes: true });
  const kept = entries.filter(({ name }) => !ignored.has(name));
  return {
    files: kept.filter((entry) => entry.isFile()).map(({ name }) => name),
    folders: kept.filter((entry) => entry.isDirectory()).map(({ name }) => name),
  };
}

export interface Import {
  specifier: string;
  /** The imported file, from the root of the project; undefined for a package. */
  target: string | undefined;
}

/** All imports of a file: static, dynamic, of types, re-exports, and scripts of a thread (`new URL(…, import.meta.url)`). */
export function importsOf({ path, text }: Source): Import[] {
  const found = [...withoutComments(text).matchAll(SPECIFIER)];
  return found.map((match) => {
    const specifier = match[2] ?? match[4]!;
    const isOurs = specifier.startsWith('.');
    return { specifier, target: isOurs ? posix.join(posix.dirname(path), specifier) : undefined };
  });
}

/** Regular expressions suffice for code that the formatter has been through; a parser is not worth its weight here. */
export function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found) => (found.startsWith('/') ? ' ' : found));
}

export const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;
const STRING_OR_COMMENT = new RegExp(`${STRING.source}|\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?\\*\\/`, 'g');
const SPECIFIER =
  /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1|\bnew URL\(\s*(['"])([^'"\n]+)\3,\s*import\.meta\.url/g;
