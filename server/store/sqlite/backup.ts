/** `npm run backup`: the database of a server, running or not, as one file. */
import { existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Unusable } from '../port.ts';
import { inWords, isMissing, onDisk, removeDatabase } from './files.ts';
import { snapshot } from './snapshot.ts';
import { makeWhole } from './whole.ts';

/** `to` is there when it is whole and on the disk, or not at all. Rejects with `Unusable` where something is to be done. */
export function backUp(file: string, to: string): Promise<void> {
  return inWords(dirname(to), () => make(file, to));
}

async function make(file: string, to: string): Promise<void> {
  if (!existsSync(file))
    throw new Unusable(`There is no database ${file}: set DATA to the folder that the server has.`);
  checkTarget(to);
  const partial = `${to}.partial`;
  removeDatabase(partial);
  try {
    await snapshot(file, partial);
    makeWhole(partial, file);
    onDisk(partial);
    giveName(partial, to);
    onDisk(dirname(to));
  } finally {
    removeDatabase(partial);
  }
}

function checkTarget(to: string): void {
  if (!existsSync(dirname(to))) throw new Unusable(`There is no folder ${dirname(to)}: make it first.`);
  if (!existsSync(to)) return;
  if (statSync(to).isDirectory()) throw new Unusable(`${to} is a folder: name a file in it.`);
  throw alreadyThere(to);
}

/** A link is made only where there is nothing. File systems without links have no such way. */
function giveName(partial: string, to: string): void {
  try {
    linkSync(partial, to);
  } catch (error) {
    if (isMissing(error)) throw error;
    if (existsSync(to)) throw alreadyThere(to);
    renameSync(partial, to);
  }
}

function alreadyThere(to: string): Unusable {
  return new Unusable(`${to} is there already, and nothing is overwritten: name another file.`);
}
