import { expect, test } from 'vitest';
import { problemsOfLayers, problemsOfMap } from './map.ts';

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `web/file${i}.ts`);
const table = (files: string[]) =>
  ['| step | file |', '| --- | --- |', ...files.map((file, i) => `| ${i} | \`${file}\` does it |`)].join(
    '\n',
  );
const map = (way: string[], changes: string[]) =>
  `# Map\n\n## The way of one message\n\n${table(way)}\n\n## Where to change what\n\n${table(changes)}\n\n## More\n\n\`web/other.ts\`\n`;

const paths = new Set(numbered(30));

test('twenty files and ten examples pass', () => {
  expect(problemsOfMap(map(numbered(20), numbered(10)), paths)).toEqual([]);
  expect(problemsOfMap(map([...numbered(20), ...numbered(20)], numbered(10)), paths)).toEqual([]);
});

test('catch: a way of more than twenty files, or of none', () => {
  expect(problemsOfMap(map(numbered(21), numbered(10)), paths)).toEqual([
    expect.stringContaining('names 21 files'),
  ]);
  expect(problemsOfMap(map([], numbered(10)), paths)).toEqual([expect.stringContaining('names no file')]);
});

test('catch: fewer than ten examples that name a file', () => {
  expect(problemsOfMap(map(numbered(5), [...numbered(9), 'nothing']), paths)).toEqual([
    expect.stringContaining('fewer than 10 examples'),
  ]);
});

test('catch: a file that does not exist, in either table', () => {
  expect(problemsOfMap(map(['web/gone.ts'], numbered(10)), paths)).toEqual([
    expect.stringContaining('web/gone.ts'),
  ]);
  expect(problemsOfMap(map(numbered(3), [...numbered(10), 'server/gone.ts']), paths)).toEqual([
    expect.stringContaining('server/gone.ts'),
  ]);
});

const layers = (...lines: string[]) => `# Map\n\n## Layers\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`;
const ORDER = ['shared', 'server', 'web/db', 'web'];

test('a list of all layers passes, highest first, with free text between', () => {
  const lines = ['the page', 'web  starts it', 'web/db  IndexedDB', '', 'server  Koa', 'shared  both'];
  expect(problemsOfLayers(layers(...lines), ORDER)).toEqual([]);
});

test('catch: a missing layer, a wrong order, a layer listed twice', () => {
  const first = (line: number, folder: string) => [
    expect.stringContaining(`line ${line} of "Layers" must be ${folder} `),
  ];
  expect(problemsOfLayers(layers('web  a', 'server  b', 'shared  c'), ORDER)).toEqual(first(2, 'web/db'));
  expect(problemsOfLayers(layers('web/db  a', 'web  b', 'server  c', 'shared  d'), ORDER)).toEqual(
    first(1, 'web'),
  );
  expect(problemsOfLayers('# Map\n', ORDER)).toEqual(first(1, 'web'));
  const twice = layers('web  a', 'web/db  b', 'server  c', 'shared  d', 'shared  e');
  expect(problemsOfLayers(twice, ORDER)).toEqual([expect.stringContaining('lists shared twice')]);
});
