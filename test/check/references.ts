/**
 * Finds references to files that do not exist: paths and file names in Markdown documents and in comments.
 * A reference names a file or folder from the root of the project or from the folder of the file that mentions it,
 * or the last part of exactly one path (`window.ts`, `read/window.ts`).
 */
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ROOT } from '../support/tools.ts';
import { filesUnder, type Source, topLevel } from './sources.ts';

/** Files that a command generates, that are not committed, and that documents mention. */
const GENERATED: ReadonlySet<string> = new Set(['docs/CAPACITY.md', 'docs/capacity.json']);

/** Words that end like a file name but are none. */
const NOT_A_FILE: ReadonlySet<string> = new Set(['Node.js']);

/** Checks every file of the project that contains text or comments. */
export async function missingReferences(): Promise<string[]> {
  const { files, folders } = await topLevel();
  const paths = [...files, ...(await Promise.all(folders.map(filesUnder))).flat()];
  const read = async (path: string) => ({ path, text: await readFile(join(ROOT, path), 'utf8') });
  return referenceProblems(await Promise.all(paths.filter(hasProse).map(read)), paths);
}

/** Pure. One sentence per reference to no file, or to more than one. `paths`: all files of the project. */
export function referenceProblems(sources: readonly Source[], paths: readonly string[]): string[] {
  const known = new Set([...paths, ...paths.flatMap(foldersOf)]);
  return sources.flatMap(({ path, text }) => {
    const prose = proseOf(path, text);
    const broken = path.endsWith('.md')
      ? linksOf(prose).flatMap((link) => problemOfLink(path, link, known))
      : [];
    const mentions = mentionsOf(prose, known).flatMap((name) => problemOfMention(path, name, known));
    return [...new Set([...broken, ...mentions])];
  });
}

function problemOfMention(path: string, name: string, known: ReadonlySet<string>): string[] {
  if (GENERATED.has(name) || NOT_A_FILE.has(name)) return [];
  if (known.has(name) || known.has(posix.join(posix.dirname(path), name))) return [];
  const found = [...known].filter((one) => one.endsWith(`/${name}`));
  if (found.length === 1) return [];
  if (found.length === 0) return [`${path} refers to ${name}, which does not exist`];
  return [`${path} refers to ${name}, which may be any of ${found.join(', ')}: write a longer path`];
}

/** Markdown resolves a link from the folder of its file, and from there only. */
function problemOfLink(path: string, link: string, known: ReadonlySet<string>): string[] {
  if (known.has(posix.join(posix.dirname(path), link).replace(/\/$/, ''))) return [];
  return [`${path} links to ${link}, which does not exist`];
}

/** Targets within the project, without their `#anchor`. */
function linksOf(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)[^)]*\)/g)]
    .map((match) => match[1]!.replace(/#.*/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link));
}

/** File names, and paths that begin with a top folder. Patterns (`*.test.ts`) and URLs are not references. */
function mentionsOf(prose: string, known: ReadonlySet<string>): string[] {
  const text = prose.replace(URL_OR_TARGET, ' ');
  const names = [...text.matchAll(FILE_NAME)].map((match) => match[0]).filter((name) => /^[\w.]/.test(name));
  const roots = [...known].filter((path) => !/[./]/.test(path));
  const fromRoot = new RegExp(String.raw`(?<![\w./-])(?:${roots.join('|')})\/${PART.source}*`, 'g');
  const folders = [...text.matchAll(fromRoot)].map((match) => match[0].replace(/[./-]+$/, ''));
  return [...names, ...folders].filter((name) => !/[*{}<>$…]/.test(name) && !OUTSIDE.test(name));
}

/** Paths of other packages, and of the built page. */
const OUTSIDE = /^(?:node_modules|dist)\//;
const PART = /[\w@.*{}<>$…/-]/;
const FILE_NAME = new RegExp(
  String.raw`${PART.source}*\w\.(?:tsx?|md|m?js|json|html|css|py|ya?ml|svg|png|txt|webmanifest)(?:\.gz)?(?!\.?[\w/(-])`,
  'g',
);
/** A Markdown link's target is checked as a link. */
const URL_OR_TARGET = /\b[a-z]+:\/\/\S+|\]\([^)]*\)/g;

function hasProse(path: string): boolean {
  return COMMENTS.some(([ending]) => ending.test(path));
}

function proseOf(path: string, text: string): string {
  const comment = COMMENTS.find(([ending]) => ending.test(path))?.[1];
  if (!comment) return text;
  return [...text.matchAll(comment)].map((match) => match.groups?.comment ?? '').join('\n');
}

const STRING = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`;
/** By the ending of a path: what matches a comment, as the group `comment`; undefined if the whole file is prose. */
const COMMENTS: readonly (readonly [ending: RegExp, comment: RegExp | undefined])[] = [
  [/\.md$/, undefined],
  [/\.(?:tsx?|js|css)$/, new RegExp(String.raw`${STRING}|(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`, 'g')],
  [/\.html$/, /(?<comment><!--[\s\S]*?-->)/g],
  [/\.py$/, /(?<comment>"""[\s\S]*?"""|^\s*#[^\n]*)/gm],
  [/(?:\.ya?ml|^Dockerfile|^\.ci\/\w+|requirements\.txt)$/, /(?<comment>^\s*#[^\n]*)/gm],
];

function foldersOf(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === '.' ? [] : [folder, ...foldersOf(folder)];
}
