import { describe, expect, test } from 'vitest';
import { referenceProblems } from './references.ts';

const PATHS = [
  'README.md',
  'docs/SOAK.md',
  'docs/look.png',
  'web/log/era.ts',
  'web/log/hold.ts',
  'web/main.ts',
  'web/log/said.json.gz',
];
const TWICE = [...PATHS, 'server/main.ts'];

const comment = (text: string, path = 'web/log/hold.ts') => ({
  path,
  text: `/** ${text} */\nconst a = 'x';`,
});
const markdown = (text: string, path = 'README.md') => ({ path, text });

const broken: [what: string, source: { path: string; text: string }, name: string][] = [
  ['a path from the root in a comment', comment('See web/log/gone.ts.'), 'web/log/gone.ts'],
  ['a file name in parentheses', comment('Dropped (gone.ts).'), 'gone.ts'],
  ['a path from the folder', comment('See ./gone.ts'), './gone.ts'],
  ['a line comment', { path: 'web/main.ts', text: 'const a = 1; // as gone.ts does' }, 'gone.ts'],
  ['a comment after a string', { path: 'web/main.ts', text: "const a = '//'; // gone.ts" }, 'gone.ts'],
  ['a folder', comment('The cases of web/fog say it.'), 'web/fog'],
  ['a document in a comment', comment('As GONE.md says'), 'GONE.md'],
  ['a file name in Markdown', markdown('`gone.ts` does it'), 'gone.ts'],
  ['a link in Markdown', markdown('[soak](docs/GONE.md)'), 'docs/GONE.md'],
  ['a link to an anchor in a missing file', markdown('[soak](docs/GONE.md#first)'), 'docs/GONE.md'],
  ['an image in Markdown', markdown('![look](docs/gone.png)'), 'docs/gone.png'],
  [
    'a link from the root in a document of a folder',
    markdown('[s](docs/SOAK.md)', 'docs/a.md'),
    'docs/SOAK.md',
  ],
  ['a packed file', comment('Made from gone.json.gz'), 'gone.json.gz'],
  ['a comment in CSS', { path: 'web/a.css', text: '/* as gone.css */' }, 'gone.css'],
  ['a comment in HTML', { path: 'web/a.html', text: '<!-- gone.js -->' }, 'gone.js'],
  ['a docstring in Python', { path: 'test/a.py', text: '"""\nfor gone.ts\n"""' }, 'gone.ts'],
  ['a comment in a script', { path: '.ci/run', text: '# runs gone.ts' }, 'gone.ts'],
];

const fine: [what: string, source: { path: string; text: string }][] = [
  ['a path from the root', comment('See web/log/era.ts, and docs/SOAK.md.')],
  ['a name of one file', comment('See main.ts')],
  ['the end of one path', comment('See log/era.ts')],
  ['a file of the same folder', comment('See era.ts and ./era.ts')],
  ['a packed file', comment('Made from said.json.gz.')],
  ['a call in an example', markdown('`await answer.json()`')],
  ['a path upwards', comment('See ../main.ts')],
  ['a folder', comment('All of web/log, docs/ and `web/log/`.')],
  ['a string of code', { path: 'web/main.ts', text: "const a = 'gone.ts'; // none" }],
  ['a pattern', comment('Files like *.test.ts, web/**/*.css and web/{log,gone}/*.ts')],
  ['a URL', comment('https://example.org/gone.ts#L1')],
  ['a path on the server', comment('It answers /gone.js')],
  ['a library', markdown('Node.js 20, `node_modules/gone/index.js`, `dist/index.html`')],
  [
    'a link to a document, an anchor and a site',
    markdown('[a](docs/SOAK.md#b) [c](#d) [e](https://x.org/f.md)'),
  ],
  ['a link to an image and a folder', markdown('![a](docs/look.png) [b](docs/)')],
  ['a link upwards', markdown('[a](../README.md) [b](SOAK.md)', 'docs/a.md')],
];

describe('references to files', () => {
  test.each(broken)('catch: %s', (_, source, name) => {
    const problems = referenceProblems([source], PATHS);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${source.path} `);
    expect(problems[0]).toContain(` ${name}, which does not exist`);
  });

  test.each(fine)('let through: %s', (_, source) => {
    expect(referenceProblems([source], PATHS)).toEqual([]);
  });

  test('catch: a name that several files have, with all of them', () => {
    const [problem, ...others] = referenceProblems([comment('See main.ts')], TWICE);
    expect(problem).toMatch(
      /main\.ts.*server\/main\.ts.*web\/main\.ts|main\.ts.*web\/main\.ts.*server\/main\.ts/,
    );
    expect(others).toEqual([]);
  });

  test('a name that several files have is that of the same folder', () => {
    expect(referenceProblems([comment('See main.ts', 'web/a.ts')], TWICE)).toEqual([]);
  });
});
