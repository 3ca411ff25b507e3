/** Checks ARCHITECTURE.md: the list of layers, and the tables "The way of one message" and "Where to change what". */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/tools.ts';
import { LAYERS } from './layers.ts';
import { filesUnder, topLevel } from './sources.ts';

const WAY = 'The way of one message';
const WAY_MAX_FILES = 20;
const CHANGES = 'Where to change what';
const CHANGES_MIN = 10;

export async function mapProblems(): Promise<string[]> {
  const { files, folders } = await topLevel();
  const paths = [...files, ...(await Promise.all(folders.map(filesUnder))).flat()];
  const map = await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  return [...problemsOfMap(map, new Set(paths)), ...problemsOfLayers(map, Object.keys(LAYERS))];
}

/** Pure. The block under "Layers" must list all folders, highest first. `order`: lowest first. */
export function problemsOfLayers(map: string, order: readonly string[]): string[] {
  const block = /^```\n([\s\S]*?)^```/m.exec(sectionOf(map, 'Layers'))?.[1] ?? '';
  const listed = [...block.matchAll(/^((?:shared|server|web)\S*) {2}/gm)].map((match) => match[1]!);
  const expected = order.toReversed();
  const at = expected.findIndex((folder, index) => folder !== listed[index]);
  if (at >= 0)
    return [`ARCHITECTURE.md: line ${at + 1} of "Layers" must be ${expected[at]} (test/check/layers.ts)`];
  return listed.slice(expected.length).map((folder) => `ARCHITECTURE.md: "Layers" lists ${folder} twice`);
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
  return (
    sectionOf(markdown, heading)
      .match(/^\|.*\|$/gm)
      ?.slice(2) ?? []
  );
}

function sectionOf(markdown: string, heading: string): string {
  return markdown.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
}

/** What a row names as code and ends like a file of code or text. */
function filesOf(row: string): string[] {
  return [...row.matchAll(/`([\w./-]+\.(?:tsx?|css|md|json))`/g)].map((match) => match[1]!);
}
