/** Each rule reports a violation, and lets similar allowed code through. */
import { describe, expect, test } from 'vitest';
import { importProblems, PURE } from './imports.ts';

const broken: [rule: string, path: string, text: string][] = [
  ['shared imports the server', 'shared/a.ts', "import { x } from '../server/x.ts';"],
  ['shared imports Node', 'shared/a.ts', "import { readFileSync } from 'node:fs';"],
  ['shared imports a library of the page', 'shared/a.ts', "import { openDB } from 'idb';"],
  ['the server imports the page', 'server/a.ts', "import type { x } from '../web/x.ts';"],
  ['the server imports the page dynamically', 'server/a.ts', "await import('../web/x.ts');"],
  ['the page imports the server', 'web/view/a.tsx', "export * from '../../server/x.ts';"],
  ['the page imports for effect', 'web/a.ts', "import '../server/x.ts';"],
  ['production code imports a test', 'server/a.ts', "import { x } from '../test/support/x.ts';"],
  ['another folder appends', 'server/rooms/a.ts', 'await store.log.append(items, at);'],
  ['another folder appends to a destructured log', 'server/rooms/a.ts', 'await log.append(items, at);'],
  ['another folder emits entries', 'server/realtime/a.ts', "socket.emit('entries', frame);"],
  ['the server reads the clock of the machine', 'server/realtime/a.ts', 'const until = Date.now() + 500;'],
  ['an adapter named elsewhere', 'server/app.ts', "import { x } from './store/sqlite/index.ts';"],
  ['an adapter named by a file beside it', 'server/store/a.ts', "import { x } from './mongo/index.ts';"],
  ['a view imports the outbox', 'web/view/parts/a.tsx', "import { x } from '../../outbox/x.ts';"],
  [
    'a view imports the state behind the client',
    'web/view/a.tsx',
    "import type { X } from '../state/user.ts';",
  ],
  ['a pure module reads the clock', 'web/outbox/outboxReducer.ts', 'const at = Date.now();'],
  ['a pure module uses Math.random', 'web/transport/connection.ts', 'const jitter = Math.random();'],
  ['a pure module waits', 'web/records/spans.ts', 'setTimeout(f, 1);'],
  ['a pure module measures', 'shared/a.ts', 'const at = performance.now();'],
  ['a pure module fetches', 'server/limits/bucket.ts', "await fetch('/x');"],
  ['a pure module opens a database', 'shared/a.ts', 'indexedDB.open("x");'],
  ['a pure module uses crypto', 'shared/ids.ts', 'crypto.getRandomValues(bytes);'],
];

const fine: [what: string, path: string, text: string][] = [
  [
    'shared imports itself and valibot',
    'shared/p/a.ts',
    "import * as v from 'valibot'; import { x } from '../ids.ts';",
  ],
  ['the server imports shared', 'server/a.ts', "import { x } from '../shared/ids.ts';"],
  ['ingest appends', 'server/ingest/batcher.ts', 'await store.log.append(items, at);'],
  ['a FormData is appended to', 'server/a.ts', 'form.append(a); dialog.append(b);'],
  ['a store reads the clock of the machine', 'server/store/sqlite/a.ts', 'const now = Date.now;'],
  ['feed emits entries', 'server/feed/a.ts', "io.local.emit('entries', frame);"],
  ['a view imports the client', 'web/view/a.tsx', "import type { X } from '../state/model.ts';"],
  ['a view imports texts and records', 'web/view/a.tsx', "import '../i18n/x.ts'; import '../records/x.ts';"],
  ['the state imports the outbox', 'web/state/a.ts', "import { x } from '../outbox/x.ts';"],
  ['main names the adapter', 'server/main.ts', "import { x } from './store/sqlite/index.ts';"],
  ['the adapter names itself', 'server/store/sqlite/a.ts', "import { x } from './b.ts';"],
  ['a comment says what code may not', 'shared/a.ts', "// never Date.now(), says import '../server/x.ts'"],
  ['a sentence says what code may not', 'shared/a.ts', "const s = 'no crypto, no fetch';"],
  ['a shell reads the clock', 'web/outbox/drain.ts', 'const at = Date.now();'],
];

const pureOnes = PURE.map((path) => ({ path: path.endsWith('/') ? `${path}x.ts` : path, text: '' }));

describe('import rules', () => {
  test.each(broken)('catch: %s', (_, path, text) => {
    const others = pureOnes.filter((source) => source.path !== path);
    expect(importProblems([{ path, text }, ...others])).toHaveLength(1);
  });

  test.each(fine)('let through: %s', (_, path, text) => {
    const others = pureOnes.filter((source) => source.path !== path);
    expect(importProblems([{ path, text }, ...others])).toEqual([]);
  });

  test('catch: a listed pure module that does not exist', () => {
    expect(importProblems(pureOnes.slice(1))).toEqual([expect.stringContaining(PURE[0]!)]);
  });
});
