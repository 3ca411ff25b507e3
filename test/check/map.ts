/** The two tables of ARCHITECTURE.md that a stranger follows: the way of one message, and where to change what. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/tools.ts';
import { filesUnder, topLevel } from './sources.ts';

const WAY = 'The way of one message';
const WAY_MAX_FILES = 20;
const CHANGES = 'Where to change what';
const CHANGES_MIN = 10;

export async function mapProblems(): Promise<string[]> {
  const { files, folders } = await topLevel();
  const paths = [...files, ...(await Promise.all(folders.map(filesUnder))).flat()];
  return problemsOfMap(await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8'), new Set(paths));
}

/** Pure. `paths`: all files of the project. */
export function problemsOfMap(map: string, paths: ReadonlySet<string>): string[] {
  const way = rowsOf(map, WAY).map(filesOf);
  const changes = rowsOf(map, CHANGES).map(filesOf);
  const named = new Set(way.flat());
  const gone = [...new Set([...way, ...changes].flat())].filter((file) => !paths.has(file));
  return [
    ...(named.size === 0 ? [`ARCHITECTURE.md: "${WAY}" names no file`] : []),
    ...(named.size > WAY_MAX_FILES
      ? [`ARCHITECTURE.md: "${WAY}" names ${named.size} files; ${WAY_MAX_FILES} are the most`]
      : []),
    ...(changes.filter((files) => files.length > 0).length < CHANGES_MIN
      ? [`ARCHITECTURE.md: "${CHANGES}" has fewer than ${CHANGES_MIN} examples that name their files`]
      : []),
    ...gone.map((file) => `ARCHITECTURE.md: ${file} does not exist`),
  ];
}

/** The rows of the table under a heading, without its head. */
function rowsOf(markdown: string, heading: string): string[] {
  const section = markdown.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section.match(/^\|.*\|$/gm)?.slice(2) ?? [];
}

/** What a row names as code and ends like a file of code or text. */
function filesOf(row: string): string[] {
  return [...row.matchAll(/`([\w./-]+\.(?:tsx?|css|md|json))`/g)].map((match) => match[1]!);
}
