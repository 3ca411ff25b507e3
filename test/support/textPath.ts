/**
 * Finds the files through which a text runs: `instrument` adds a call to every function of a module, and `installTextPath`
 * the global function that it calls. A file is on the path when one of its functions gets the text as an argument, or within
 * one: in an object, an array, a frame.
 */
import { parseAst } from 'rolldown/parseAst'; // of vite, which takes longer to load

export interface TextPath {
  /** Forgets the files so far, and looks for another text; '' for none. */
  expect(text: string): void;
  files(): string[];
  check(file: string, values: readonly unknown[]): void;
}

declare global {
  var textPath: TextPath | undefined;
}

/** For server and page alike: it is sent to the page as text, so it uses nothing from this module. */
export function installTextPath(): void {
  const MAX_DEPTH = 7;
  const MAX_VALUES = 3_000;
  const MAX_BYTES = 100_000;
  const found = new Set<string>();
  let expected = '';
  globalThis.textPath = {
    expect(text) {
      expected = text;
      found.clear();
    },
    files: () => [...found],
    check(file, values) {
      if (expected !== '' && !found.has(file) && contains(values)) found.add(file);
    },
  };

  function contains(values: readonly unknown[]): boolean {
    const seen = new Set<unknown>();
    const queue: [value: unknown, depth: number][] = [[values, 0]];
    for (const [value, depth] of queue) {
      if (typeof value === 'string' && value.includes(expected)) return true;
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      seen.add(value);
      if (ArrayBuffer.isView(value)) {
        if (value.byteLength <= MAX_BYTES && new TextDecoder().decode(value).includes(expected)) return true;
      } else if (depth < MAX_DEPTH && queue.length < MAX_VALUES)
        queue.push(...partsOf(value).map((part): [unknown, number] => [part, depth + 1]));
    }
    return false;
  }

  /** Of plain data only: a socket or an element leads everywhere. What begins with _ is internal to a library. */
  function partsOf(value: object): unknown[] {
    if (Array.isArray(value) || value instanceof Set) return [...value];
    if (value instanceof Map) return [...value.values()];
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return [];
    return Object.entries(value).flatMap(([name, part]) => (name.startsWith('_') ? [] : [part]));
  }
}

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** JavaScript in, JavaScript out. `file` is reported. */
export function instrument(code: string, file: string): string {
  const inserts: [at: number, text: string][] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isNode(value)) return;
    if (/Function/.test(value.type) && isNode(value.body)) inserts.push(...callsIn(value, value.body, file));
    for (const part of Object.values(value)) if (typeof part === 'object') visit(part);
  };
  visit(parseAst(code));
  return inserts
    .sort(([a], [b]) => b - a)
    .reduce((text, [at, call]) => text.slice(0, at) + call + text.slice(at), code);
}

function callsIn({ params }: Node, body: Node, file: string): [at: number, text: string][] {
  const names = (params as unknown[]).flatMap(namesIn);
  if (names.length === 0) return [];
  const call = `globalThis.textPath?.check(${JSON.stringify(file)},[${names}])`;
  if (body.type === 'BlockStatement') return [[body.start + 1, `${call};`]];
  return [
    [body.start, `(${call},`],
    [body.end, ')'],
  ];
}

/** The names that a pattern of a parameter declares. */
function namesIn(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name as string];
    case 'ObjectPattern':
      return (pattern.properties as Node[]).flatMap((property) =>
        namesIn(property.value ?? property.argument),
      );
    case 'ArrayPattern':
      return (pattern.elements as unknown[]).flatMap(namesIn);
    case 'AssignmentPattern':
      return namesIn(pattern.left);
    case 'RestElement':
      return namesIn(pattern.argument);
    default:
      return [];
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
