/** Finds programs. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Every file with one of these names on the PATH, in the order of the names. */
export function onPath(...names: string[]): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .filter((path) => existsSync(path));
}
