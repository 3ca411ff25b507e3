import { describe, expect, test } from 'vitest';
import { problemsOfOrder } from './layers.ts';

const ORDER = ['shared', 'web/db', 'web/log', 'web/log/read', 'web/view', 'web'];
/** Each folder has a file, so that none of them is reported as empty. */
const FILES = ORDER.map((folder) => ({ path: `${folder}/a.ts`, text: '' }));

const problems = (path: string, text: string) => problemsOfOrder([...FILES, { path, text }], ORDER);

const upwards: [what: string, path: string, text: string][] = [
  ['a static import', 'web/db/b.ts', "import { a } from '../log/a.ts';"],
  ['an import of a type', 'web/db/b.ts', "import type { A } from '../log/a.ts';"],
  ['an import over several lines', 'web/db/b.ts', "import {\n  type A,\n  b,\n} from '../log/a.ts';"],
  ['a type within an expression', 'web/db/b.ts', "let a: import('../log/a.ts').A;"],
  ['an import for its effect', 'web/db/b.ts', "import '../log/a.ts';"],
  ['a dynamic import', 'web/db/b.ts', "await import('../log/a.ts');"],
  ['a re-export', 'web/db/b.ts', "export { a } from '../log/a.ts';"],
  ['a re-export of everything', 'web/db/b.ts', "export * from '../log/a.ts';"],
  ['the script of a thread', 'web/db/b.ts', "new Worker(new URL('../log/a.ts', import.meta.url));"],
  ['a file of the folder around it', 'web/db/b.ts', "import { a } from '../a.ts';"],
  ['a folder within it', 'web/log/b.ts', "import { a } from './read/a.ts';"],
  ['another top folder', 'shared/b.ts', "import { a } from '../web/db/a.ts';"],
];

const downwards: [what: string, path: string, text: string][] = [
  ['its own folder', 'web/db/b.ts', "import { a } from './a.ts';"],
  [
    'a folder below',
    'web/log/b.ts',
    "import { a } from '../db/a.ts'; import { c } from '../../shared/a.ts';",
  ],
  ['the folder around it, which is lower here', 'web/log/read/b.ts', "import { a } from '../a.ts';"],
  ['a package', 'web/db/b.ts', "import { openDB } from 'idb'; import fs from 'node:fs';"],
  ['a comment that speaks of an import', 'web/db/b.ts', "// as in import '../log/a.ts'"],
  ['a sheet of styles', 'web/a.ts', "import './style/index.css';"],
];

describe('layers', () => {
  test.each(upwards)('catch: %s', (_, path, text) => {
    expect(problems(path, text)).toEqual([expect.stringContaining(`${path} imports `)]);
  });

  test.each(downwards)('let through: %s', (_, path, text) => {
    expect(problems(path, text)).toEqual([]);
  });

  test('catch: two folders that import each other', () => {
    const circle = [
      { path: 'web/db/b.ts', text: "import '../log/b.ts';" },
      { path: 'web/log/b.ts', text: "import '../db/b.ts';" },
    ];
    expect(problemsOfOrder([...FILES, ...circle], ORDER)).toHaveLength(1);
  });

  test('catch: a folder that is not listed, and a listed one without files', () => {
    expect(problems('web/new/b.ts', '')).toEqual([expect.stringContaining('web/new')]);
    expect(problemsOfOrder(FILES.slice(1), ORDER)).toEqual([expect.stringContaining('shared')]);
  });
});
