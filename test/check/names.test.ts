import { describe, expect, test } from 'vitest';
import { nameProblems } from './names.ts';

const files = (texts: Record<string, string>) =>
  Object.entries(texts).map(([path, text]) => ({ path, text }));
const FIRST = { 'web/a.ts': 'export const one = 1;' };

const doubles: [what: string, name: string, texts: Record<string, string>][] = [
  ['two constants', 'one', { ...FIRST, 'web/b.ts': 'export const one = 2;' }],
  ['a function and a type', 'one', { ...FIRST, 'web/b.ts': 'export type one = 2;' }],
  ['an async generator', 'one', { ...FIRST, 'web/b.ts': 'export async function* one() {}' }],
  ['an abstract class', 'one', { ...FIRST, 'web/b.ts': 'export abstract class one {}' }],
  [
    'an interface of page and server',
    'One',
    {
      'server/a.ts': 'export interface One {}',
      'web/b.ts': 'export interface One {}',
    },
  ],
  ['a default export with a name', 'one', { ...FIRST, 'web/b.ts': 'export default function one() {}' }],
  ['a list', 'one', { ...FIRST, 'web/b.ts': 'const one = 2;\nexport { two, one };' }],
  ['another name in a list', 'one', { ...FIRST, 'web/b.ts': 'const two = 2;\nexport { two as one };' }],
  ['parts of an object', 'one', { ...FIRST, 'web/b.ts': 'export const { two, three: one } = f();' }],
  [
    'the whole of a module',
    'one',
    { ...FIRST, 'web/b.ts': "export * as one from './c.ts';", 'web/c.ts': '' },
  ],
  [
    'something else, exported again under this name',
    'one',
    {
      ...FIRST,
      'web/b.ts': "export { two as one } from './c.ts';",
      'web/c.ts': 'export const two = 2;',
    },
  ],
  [
    'two names within one adapter',
    'one',
    {
      'server/store/mongo/a.ts': 'export const one = 1;',
      'server/store/mongo/append/b.ts': 'export const one = 1;',
    },
  ],
  [
    'an adapter and a folder beside it',
    'one',
    {
      'server/store/mongo/a.ts': 'export const one = 1;',
      'server/feed/b.ts': 'export const one = 1;',
    },
  ],
  [
    'a third beside the adapters',
    'one',
    {
      'server/store/mongo/a.ts': 'export const one = 1;',
      'server/store/sqlite/b.ts': 'export const one = 1;',
      'web/c.ts': 'export const one = 1;',
    },
  ],
  ['two files', 'file gate', { 'web/gate.ts': '', 'server/gate.ts': '' }],
  ['two files with different endings', 'file gate', { 'web/gate.ts': '', 'web/view/gate.tsx': '' }],
];

const fine: [what: string, texts: Record<string, string>][] = [
  ['the same name within a file', { 'web/a.ts': 'export const one = 1;\nexport type one = 1;' }],
  ['a name that is not exported', { ...FIRST, 'web/b.ts': 'const one = 2;\nfunction f() {}' }],
  ['a re-export', { ...FIRST, 'web/b.ts': "export { one } from './a.ts';" }],
  ['a re-export of everything', { ...FIRST, 'web/b.ts': "export * from './a.ts';" }],
  [
    'a re-export of what is imported',
    { ...FIRST, 'web/b.ts': "import { one } from './a.ts';\nexport { one };" },
  ],
  [
    'a type that is exported again',
    {
      'web/a.ts': 'export interface One {}',
      'web/b.ts': "export type { One } from './a.ts';",
    },
  ],
  [
    'one each in the adapters',
    {
      'server/store/mongo/heads.ts': 'export const one = 1;',
      'server/store/sqlite/heads.ts': 'export const one = 1;',
    },
  ],
  [
    'files of any folder',
    { 'web/main.ts': '', 'server/main.ts': '', 'web/index.ts': '', 'server/index.ts': '' },
  ],
  ['a comment', { ...FIRST, 'web/b.ts': '/*\nexport const one = 1;\n*/' }],
  ['a declaration file', { ...FIRST, 'web/b.d.ts': 'export const one: 1;' }],
];

describe('names', () => {
  test.each(doubles)('catch: %s', (_, name, texts) => {
    expect(nameProblems(files(texts))).toEqual([
      expect.stringMatching(new RegExp(`^${name} means several things: .+, .+`)),
    ]);
  });

  test.each(fine)('let through: %s', (_, texts) => {
    expect(nameProblems(files(texts))).toEqual([]);
  });
});
