/**
 * One word, one thing: no two exported names are the same, and no two file names without their endings.
 * A re-export is not a second thing. The two store adapters may have parallel names, one each.
 */
import { posix } from 'node:path';
import { importsOf, type Source, withoutComments } from './sources.ts';

/** Every folder may have one. */
const FILES_OF_ANY_FOLDER: ReadonlySet<string> = new Set(['index', 'main']);
const ADAPTERS = ['server/store/sqlite/', 'server/store/mongo/'];

/** Pure. One sentence per name that occurs twice. */
export function nameProblems(sources: readonly Source[]): string[] {
  const homes = new Map<string, Set<string>>();
  const add = (name: string, home: string) => homes.set(name, (homes.get(name) ?? new Set()).add(home));
  for (const source of sources.filter(({ path }) => !path.endsWith('.d.ts'))) {
    const base = baseName(source.path);
    if (!FILES_OF_ANY_FOLDER.has(base)) add(`file ${base}`, source.path);
    for (const { name, home } of exportsOf(source)) add(name, home);
  }
  const doubles = [...homes].filter(([, paths]) => paths.size > 1 && !areParallel([...paths]));
  return doubles.map(([name, paths]) => `${name} means several things: ${[...paths].sort().join(', ')}`);
}

function areParallel(homes: string[]): boolean {
  const adapters = homes.map((home) => ADAPTERS.find((adapter) => home.startsWith(adapter)));
  return adapters.every((adapter) => adapter !== undefined) && new Set(adapters).size === homes.length;
}

interface Exported {
  name: string;
  /** Where the thing itself is declared: `path`, or `path#name` where it is exported under another name there. */
  home: string;
}

/** `export *` adds no name of its own; that of `export * as name` is one. */
function exportsOf(source: Source): Exported[] {
  const code = withoutComments(source.text);
  return [...declared(code).map((name) => ({ name, home: source.path })), ...listed(source, code)];
}

function declared(code: string): string[] {
  const names = [...code.matchAll(DECLARATION)].map((match) => match[1]!);
  const destructured = [...code.matchAll(/^export (?:const|let|var) ([{[][^=]*[}\]])/gm)].flatMap((match) =>
    [...match[1]!.matchAll(/(?:^[{[]|,|:)\s*(?:\.\.\.)?(\w+)\s*(?=[,}\]=])/g)].map((part) => part[1]!),
  );
  return [...names, ...destructured].filter((name) => !ANONYMOUS.has(name));
}

const DECLARATION =
  /^export (?:default )?(?:declare )?(?:async )?(?:abstract )?(?:const enum|function\*?|const|let|var|class|interface|type|enum|namespace) (\w+)/gm;
const ANONYMOUS = new Set(['extends']);

/** `export { a, b as c }`, with or without `from`. */
function listed(source: Source, code: string): Exported[] {
  const imported = importedNames(source, code);
  return [
    ...code.matchAll(/^export (?:type )?(\{[^}]*\}|\* as \w+)(?:\s*from\s*(['"])([^'"]+)\2)?/gm),
  ].flatMap((match): Exported[] => {
    const from = match[3];
    return namesIn(match[1]!).map(({ name, as }) => {
      if (from !== undefined) return { name: as, home: homeOf(targetOf(source, from), name, as) };
      const origin = imported.get(name);
      if (origin !== undefined) return { name: as, home: homeOf(origin.path, origin.name, as) };
      return { name: as, home: source.path };
    });
  });
}

/** By the name that it has in this file. */
function importedNames(source: Source, code: string): Map<string, { path: string; name: string }> {
  const found = [...code.matchAll(/^import (?:type )?(?:\w+,\s*)?(\{[^}]*\})\s*from\s*(['"])([^'"]+)\2/gm)];
  return new Map(
    found.flatMap((match) =>
      namesIn(match[1]!).map(({ name, as }) => [as, { path: targetOf(source, match[3]!), name }] as const),
    ),
  );
}

function namesIn(list: string): { name: string; as: string }[] {
  const whole = /^\* as (\w+)/.exec(list);
  if (whole) return [{ name: '*', as: whole[1]! }];
  return [...list.matchAll(/(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?\s*(?=[,}])/g)].map((match) => ({
    name: match[1]!,
    as: match[2] ?? match[1]!,
  }));
}

function targetOf(source: Source, specifier: string): string {
  return importsOf(source).find((one) => one.specifier === specifier)?.target ?? specifier;
}

function homeOf(path: string, name: string, as: string): string {
  return name === as ? path : `${path}#${name}`;
}

function baseName(path: string): string {
  return posix.basename(path).replace(/\.tsx?$/, '');
}
