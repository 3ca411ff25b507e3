import { expect, test } from 'vitest';
import budgets from '../budgets/budgets.json' with { type: 'json' };
import { compiledLate, reachable, scriptsOf, tooMuch, withFixedHashes } from './size.ts';

const html = `<link rel="modulepreload" crossorigin href="/assets/shared.js"><link rel="stylesheet" href="/a.css">
  <script type="module" crossorigin src="/assets/main.js"></script>`;

const files: Record<string, string> = {
  'assets/main.js':
    'import{a as b}from"./shared.js";import"./effect.js";const later=()=>import("./later.js");',
  'assets/shared.js': 'export{x}from"./deep.js"',
  'assets/effect.js': '',
  'assets/deep.js': 'import{a}from"./shared.js"',
};

test('the first JavaScript is what the page names and what that imports statically', async () => {
  const found = await reachable(scriptsOf(html), async (path) => files[path]!);
  expect([...found.keys()].sort()).toEqual(Object.keys(files).sort());
});

test('growing past a number fails, and so does a page without a script', () => {
  const most = {
    initialJavaScript: budgets.initialJavaScriptBrotliBytes,
    serviceWorker: budgets.serviceWorkerBrotliBytes,
  };
  expect(tooMuch(most)).toEqual([]);
  expect(tooMuch({ ...most, initialJavaScript: most.initialJavaScript + 1 })).toHaveLength(1);
  expect(tooMuch({ ...most, serviceWorker: most.serviceWorker + 1 })).toHaveLength(1);
  expect(tooMuch({ ...most, initialJavaScript: 0 })).toHaveLength(1);
});

test('the hashes of the files that a script names do not change its size', () => {
  const worker = (one: string, revision: string) =>
    `precache([{"revision":"${revision}","url":"index.html"},{"revision":null,"url":"assets/later-${one}.js"}]);import("./zh-${one}.js")`;
  const fixed = withFixedHashes(worker('Bv6avifT', '138072c68cc3706326b60b8d894e5efa'));
  expect(fixed).toBe(withFixedHashes(worker('BZ4Z_W-G', 'e68f506bde84225b7d815e3592e8caaa')));
  expect(fixed).toHaveLength(worker('Bv6avifT', '138072c68cc3706326b60b8d894e5efa').length);
  expect(withFixedHashes('import("./other.js");"assets/plain.css"')).toBe(
    'import("./other.js");"assets/plain.css"',
  );
});

test('a script without the line that compiles it at load is named', () => {
  const scripts = new Map([
    ['first.js', '//# allFunctionsCalledOnLoad\nlet a;'],
    ['lazy.js', 'let a;//# allFunctionsCalledOnLoad'],
  ]);
  expect(compiledLate(scripts)).toEqual([
    'lazy.js does not begin with the line //# allFunctionsCalledOnLoad',
  ]);
});
