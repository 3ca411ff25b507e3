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

test('a complete SPEC.md has no problem', () => {
  expect(problems(whole)).toEqual([]);
  expect(claims(whole)).toHaveLength(PROMISES.length);
});

test('catch: a missing promise', () => {
  expect(problems(whole.replace(/### L3[\s\S]*?(?=### )/, ''))).toEqual([expect.stringContaining('L3')]);
});

test('catch: a listed test that is not in its file', () => {
  expect(problems(whole, tests.replace('O2 ', 'O9 '))).toEqual([expect.stringContaining("O2 it's shown")]);
});

test('catch: a listed file that does not exist', () => {
  expect(problemsOfSpec(whole, new Map())).toHaveLength(PROMISES.length);
});

test('catch: a listed test that is skipped, or commented out', () => {
  expect(problems(whole, tests.replace("test('S1", "test.skip('S1"))).toEqual([
    expect.stringContaining('skipped'),
  ]);
  expect(problems(whole, tests.replace("test('S1", "// test('S1"))).toEqual([expect.stringContaining('S1')]);
});

test('a test of several promises is listed once, for the promises at the beginning of its title', () => {
  const several = (title: string) => `${whole}\n## Several at once\n- shown: ${file}: ${title}\n`;
  const text = (title: string) => `${tests}\ntest('${title}', () => {});`;
  const last = claims(several('L1 S5 both')).slice(-2);
  expect(last.map(({ promise }) => promise)).toEqual(['L1', 'S5']);
  expect(problems(several('L1 S5 both'), text('L1 S5 both'))).toEqual([]);
  expect(problems(several('L1 S5 both'))).toHaveLength(2);
  expect(problems(several('nothing'), text('nothing'))).toEqual([expect.stringContaining('nothing')]);
});

test('catch: a promise without a test, unless it is listed as open', () => {
  const said = (line: string) => whole.replace(/- shown: .*L1 .*/, line);
  expect(problems(said(''))).toEqual([expect.stringContaining('L1')]);
  expect(problems(said('- open: many processes (issue 5)'))).toEqual([]);
});
