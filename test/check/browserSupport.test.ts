import { readFile } from 'node:fs/promises';
import { parse } from 'acorn';
import { expect, test } from 'vitest';
import { tooNew } from './browserSupport.ts';

test.each([
  ['const by=Map.groupBy(list,key)', 'groupBy'],
  ['const{promise}=Promise.withResolvers()', 'withResolvers'],
  ['[...map.values().map(f)]', 'iterators'],
  ['text.matchAll(pattern).toArray()', 'iterators'],
  ['one.union(other)', 'Set'],
  ['AbortSignal.any([a,b])', 'AbortSignal.any'],
  ['new RegExp(`x`,`gv`)', 'flag v'],
  ['e.isConnected&&e.checkVisibility()', 'checkVisibility'],
  ['parent.moveBefore(a,b)', 'moveBefore'],
  ['log.addEventListener(`scrollend`,f)', 'scrollend'],
])('%s is too new', (script, name) => {
  expect(tooNew('assets/a.js', script)).toEqual([expect.stringContaining(name)]);
});

test.each([
  'Object.values(rooms).map(f)',
  '[...map.values()].map(f)',
  'list.toSorted().at(-1)',
  'n.moveBefore&&o.parentNode?n.moveBefore(o,t):n.insertBefore(o,t)',
  'e.checkVisibility?.()??true',
  '`a`.toWellFormed()',
])('%s is not', (script) => {
  expect(tooNew('assets/a.js', script)).toEqual([]);
});

test('styles: the build lowers nesting; functions and at-rules are up to us', () => {
  expect(tooNew('a.css', '.a{color:red;&:hover{color:blue}}')).toHaveLength(1);
  expect(tooNew('a.css', '.a{color:light-dark(red,blue)}@starting-style{.a{opacity:0}}')).toHaveLength(2);
  expect(
    tooNew('a.css', '.a:has(b){color:color-mix(in srgb,red,blue);height:100dvh;max-height:6lh}'),
  ).toEqual([]);
});

test('public/too-old.js, which tells old browsers that they are too old, is ECMAScript 5', async () => {
  const script = await readFile(new URL('../../public/too-old.js', import.meta.url), 'utf8');
  expect(() => parse(script, { ecmaVersion: 5 })).not.toThrow();
  expect(() => parse('(() => {})()', { ecmaVersion: 5 })).toThrow();
});
