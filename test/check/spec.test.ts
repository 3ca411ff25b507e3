import { expect, test } from 'vitest';
import { claims, PROMISES, problemsOfSpec } from './spec.ts';

const file = 'test/a.test.ts';
const whole = PROMISES.map(
  (promise) => `### ${promise}\n> text\n- shown: ${file}: ${promise} it's shown\n`,
).join('\n');
const tests = PROMISES.map((promise) => `test('${promise} it\\'s shown', () => {});`).join('\n');

function problems(spec: string, text: string = tests): string[] {
  return problemsOfSpec(spec, new Map([[file, text]]));
}

test('a whole SPEC.md has no problem', () => {
  expect(problems(whole)).toEqual([]);
  expect(claims(whole)).toHaveLength(PROMISES.length);
});

test('a promise left out is a problem', () => {
  expect(problems(whole.replace(/### L3[\s\S]*?(?=### )/, ''))).toEqual([expect.stringContaining('L3')]);
});

test('a claimed test that is not in its file is a problem', () => {
  expect(problems(whole, tests.replace('O2 ', 'O9 '))).toEqual([expect.stringContaining("O2 it's shown")]);
});

test('a claimed file that is not there is a problem', () => {
  expect(problemsOfSpec(whole, new Map())).toHaveLength(PROMISES.length);
});

test('a claimed test that is skipped, or commented out, is a problem', () => {
  expect(problems(whole, tests.replace("test('S1", "test.skip('S1"))).toEqual([
    expect.stringContaining('skipped'),
  ]);
  expect(problems(whole, tests.replace("test('S1", "// test('S1"))).toEqual([expect.stringContaining('S1')]);
});

test('a promise of which nothing is said is a problem; saying that it is open is not', () => {
  const said = (line: string) => whole.replace(/- shown: .*L1 .*/, line);
  expect(problems(said(''))).toEqual([expect.stringContaining('L1')]);
  expect(problems(said('- open: many processes (issue 5)'))).toEqual([]);
});
