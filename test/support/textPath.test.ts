import { beforeEach, expect, test } from 'vitest';
import { installTextPath, instrument } from './textPath.ts';

beforeEach(() => {
  installTextPath();
  globalThis.textPath!.expect('hello');
});

/** Runs an expression, instrumented. */
function run(code: string): unknown {
  return new Function(`return ${instrument(code, 'a.ts')}`)();
}

const passing = [
  "((text) => {})('hello')",
  "((text) => text.length)('so: hello')",
  "(function (text) { return text; })('hello')",
  "(({ item: { body } }) => 0)({ item: { body: 'hello' } })",
  "(({ ...rest }) => 0)({ body: 'hello' })",
  "(([, second = ''], ...more) => ({ second }))(['', 'hello'])",
  "(async (frame) => {})({ items: [{ body: 'hello' }] })",
  "((rooms) => {})(new Map([['a', new Set(['hello'])]]))",
  "((bytes) => {})(new TextEncoder().encode('[hello]'))",
  "new (class { keep(text) {} })().keep('hello')",
  "[['hello']].map((list) => list.map((text) => text))",
];

test.each(passing)('on the path: %s', (code) => {
  run(code);
  expect(globalThis.textPath!.files()).toEqual(['a.ts']);
});

const notPassing = [
  '(() => {})()',
  "((text) => {})('something else')",
  "((element) => {})(new (class { text = 'hello' })())",
  "((vnode) => {})({ _parent: 'hello' })",
  "(() => 'hello')()",
];

test.each(notPassing)('not on the path: %s', (code) => {
  run(code);
  expect(globalThis.textPath!.files()).toEqual([]);
});

test('instrumented code has the same results', () => {
  expect(run('((a, { b }) => ({ sum: a + b }))(1, { b: 2 })')).toEqual({ sum: 3 });
  expect(run('[3, 1, 2].toSorted((a, b) => a - b)')).toEqual([1, 2, 3]);
});

test('without a text to look for, nothing is on the path', () => {
  globalThis.textPath!.expect('');
  run("((text) => {})('hello')");
  expect(globalThis.textPath!.files()).toEqual([]);
});
