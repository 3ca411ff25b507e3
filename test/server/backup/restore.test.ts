/** `npm run restore` on a real server's file. */
// @module-tag slow
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SCHEMA_VERSION } from '../../../server/store/sqlite/tables.ts';
import { bodyOf, signUp, wholeLog } from '../../support/api.ts';
import { operate } from '../../support/operator.ts';
import { ROOT } from '../../support/tools.ts';
import { contentOf, filesIn, newFolder, newServer, say, speaker } from './shared.ts';

const LIVE = 'holdfast.db';

/** A stopped server, and a copy from before the last message. */
async function copiedAndGoneOn() {
  const data = await newFolder();
  const copy = join(await newFolder(), 'copy.db');
  const server = await newServer(data);
  const ada = await speaker(server.url, 'Ada', 'kept');
  expect(await operate('backup', [copy], { data })).toMatchObject({ code: 0 });
  await speaker(server.url, 'Bob', 'lost');
  return { data, copy, server, ada };
}

const keptIn = (data: string) => readdirSync(data).filter((name) => name.includes('.before-'));

test('S1 L4 a restore replaces the database by the copy with a new epoch, keeps the old database, and the server continues from the copy', async () => {
  const { data, copy, server, ada } = await copiedAndGoneOn();
  await server.kill9(); // with a WAL that is not checkpointed
  const before = contentOf(copy);
  const { code, output } = await operate('restore', [copy], { data });
  expect([code, output]).toEqual([0, expect.stringContaining('Start the server now.')]);
  const [kept, ...more] = keptIn(data);
  expect(more).toEqual([]);
  expect(output).toContain(join(data, kept!));
  expect(filesIn(data)).toEqual([LIVE, kept]);
  expect(contentOf(join(data, kept!)).bodies).toEqual(['kept', 'lost']);
  expect(contentOf(copy)).toEqual(before);

  await server.start();
  await say(server.url, ada, 'after'); // the session is as old as the copy
  await signUp(server.url, 'Bob'); // the name is free again
  expect((await wholeLog(server.url, ada)).flatMap((entry) => bodyOf(entry) ?? [])).toEqual([
    'kept',
    'after',
  ]);
  await server.stop();
  const now = contentOf(join(data, LIVE));
  expect(now.names).toEqual(['Ada', 'Bob']);
  expect(now.epoch).not.toBe(before.epoch);
  expect(now.epoch).not.toBe(contentOf(join(data, kept!)).epoch);
});

test('a restore replaces a damaged or missing database, and keeps the damaged one', async () => {
  const { data, copy, server } = await copiedAndGoneOn();
  await server.stop();
  writeFileSync(join(data, LIVE), 'broken', { flag: 'r+' });
  const broken = readFileSync(join(data, LIVE));
  expect(await operate('restore', [copy], { data })).toMatchObject({ code: 0 });
  expect(readFileSync(join(data, keptIn(data)[0]!)).equals(broken)).toBe(true);
  expect(contentOf(join(data, LIVE)).bodies).toEqual(['kept']);

  const empty = join(await newFolder(), 'a', 'b');
  expect(await operate('restore', [copy], { data: empty })).toMatchObject({ code: 0 });
  expect(contentOf(join(empty, LIVE)).bodies).toEqual(['kept']);
  expect(filesIn(empty)).toEqual([LIVE]);
});

test('while the server runs, a restore is refused, and the server goes on', async () => {
  const { data, copy, server, ada } = await copiedAndGoneOn();
  const { code, output } = await operate('restore', [copy], { data });
  expect([code, output]).toEqual([78, expect.stringMatching(/^The server is running on .*: stop it first/)]);
  await say(server.url, ada, 'after');
  expect(keptIn(data)).toEqual([]);
});

test('L4 killed during a restore: the old or the new database is there, complete, and the next restore succeeds', {
  timeout: 60_000,
}, async () => {
  const { data, copy, server } = await copiedAndGoneOn();
  await server.stop();
  makeLarge(copy);
  const old = contentOf(join(data, LIVE));
  const started = performance.now();
  await operate('restore', [copy], { data: join(await newFolder(), 'timed') });
  const whole = performance.now() - started;
  const found = new Set<string>();
  for (let ms = whole * 0.3, finished = false; !finished; ms += whole * 0.07) {
    const child = spawn(process.execPath, ['server/backup/main.ts', 'restore', copy], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, DATA: data },
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    await Promise.race([sleep(ms), exit]);
    child.kill('SIGKILL');
    const [code] = await exit;
    finished = code === 0;
    const now = contentOf(join(data, LIVE));
    expect(now.bodies).toEqual(now.epoch === old.epoch ? ['kept', 'lost'] : ['kept']);
    found.add(now.epoch === old.epoch ? 'old' : 'new');
  }
  expect([...found].sort()).toEqual(['new', 'old']);
  expect(await operate('restore', [copy], { data })).toMatchObject({ code: 0 });
  expect(readdirSync(data).filter((name) => name.includes('restoring'))).toEqual([]);
  await server.start();
});

test('invalid input: one sentence that says what to do, and the database is unchanged', async () => {
  const { data, copy, server } = await copiedAndGoneOn();
  await server.stop();
  const folder = await newFolder();
  const at = (name: string) => join(folder, name);
  writeFileSync(at('empty.db'), '');
  writeFileSync(at('text.db'), 'a text of some length, which is no database at all'.repeat(100));
  alter(copy, at('newer.db'), `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  alter(copy, at('another.db'), 'PRAGMA application_id = 1');
  copyFileSync(copy, at('damaged.db'));
  const half = readFileSync(copy);
  half.fill(0xff, 8_192, 40_000);
  writeFileSync(at('damaged.db'), half);
  copyFileSync(copy, at('short.db'));
  truncateSync(at('short.db'), 30_000);
  mkdirSync(at('a folder'));
  const cases = [
    [[], /^Name one file: npm run restore -- FILE$/],
    [[at('none.db')], /^There is no file .*: name one that `npm run backup` has made\.$/],
    [[at('a folder')], /is not a file: name one/],
    [[join(data, LIVE)], /is the database itself: name a copy of it\.$/],
    [[at('empty.db')], /is not a database of Holdfast: name a file/],
    [[at('text.db')], /is not a database: name a file/],
    [[at('another.db')], /is not a database of Holdfast/],
    [[at('newer.db')], /newer version of Holdfast: install that version or a later one\.$/],
    [[at('damaged.db')], /is damaged: take an older copy\.$/],
    [[at('short.db')], /is damaged: take an older copy\.$/],
  ] as const;
  expect((await operate('restore', [copy], { data: '/proc/holdfast' })).output).toMatch(
    /cannot be written to/,
  );
  const before = contentOf(join(data, LIVE));
  for (const [files, sentence] of cases) {
    const { code, output } = await operate('restore', files, { data });
    expect([code, output.trim()]).toEqual([expect.toBeOneOf([64, 78]), expect.stringMatching(sentence)]);
    expect(output.trim()).not.toContain('\n');
    expect(filesIn(data)).toEqual([LIVE]);
  }
  expect(contentOf(join(data, LIVE))).toEqual(before);
  alter(copy, join(data, LIVE), 'PRAGMA application_id = 1');
  expect((await operate('restore', [copy], { data })).output).toMatch(
    /database of another application: set DATA/,
  );
});

function alter(from: string, to: string, sql: string): void {
  copyFileSync(from, to);
  using db = new DatabaseSync(to);
  db.exec(sql);
}

/** Makes the copy large, so that the restore takes some time. */
function makeLarge(file: string): void {
  using db = new DatabaseSync(file);
  db.exec(`
    CREATE TABLE filling (x BLOB);
    INSERT INTO filling WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
      SELECT randomblob(3000) FROM n;
  `);
}
