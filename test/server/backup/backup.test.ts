/** `npm run backup` on a real server's file. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { connectClient, newId, signUp, text } from '../../support/api.ts';
import { operate } from '../../support/operator.ts';
import { contentOf, newFolder, newServer, speaker } from './shared.ts';

test('L4 while the server runs and accepts messages, a backup is complete: it has everything that was acknowledged before', async () => {
  const data = await newFolder();
  const server = await newServer(data);
  const ada = await speaker(server.url, 'Ada', 'first');
  let saying = true;
  const said: string[] = ['first'];
  const talking = (async () => {
    using client = await connectClient(server.url, ada); // one for all: handshakes have a rate
    for (let i = 1; saying; i++) {
      const answer = await client.append(text(`line ${i}`));
      expect(answer).toMatchObject({ results: [{ serverOffset: expect.any(Number) }] });
      said.push(`line ${i}`);
      await sleep(20); // below the limits of requests and items
    }
  })();
  const folder = await newFolder();
  for (let i = 0; i < 3; i++) {
    const to = join(folder, `${i}.db`);
    const before = said.length;
    expect(await operate('backup', [to], { data })).toMatchObject({ code: 0 });
    const { bodies } = contentOf(to);
    expect(bodies.length).toBeGreaterThanOrEqual(before);
    expect(bodies.slice(0, before)).toEqual(said.slice(0, before));
  }
  saying = false;
  await talking;
  expect(readdirSync(folder).sort()).toEqual(['0.db', '1.db', '2.db']);
});

test('a backup of a killed server contains its WAL, and does not change it; a relative path is relative to the current folder', async () => {
  const data = await newFolder();
  const server = await newServer(data);
  await speaker(server.url, 'Ada', 'first', 'second');
  await server.kill9();
  const folder = await newFolder();
  const before = bytesIn(data);
  expect(before.get('holdfast.db-wal')!.length).toBeGreaterThan(0);
  expect(await operate('backup', ['of tuesday.db'], { data, folder })).toMatchObject({ code: 0 });
  expect(contentOf(join(folder, 'of tuesday.db'))).toMatchObject({
    names: ['Ada'],
    bodies: ['first', 'second'],
  });
  expect(bytesIn(data)).toEqual(before);
  await server.start(); // its data is unchanged
});

test('a backup of a stopped server changes nothing, and leaves no file beside the database', async () => {
  const data = await newFolder();
  const server = await newServer(data);
  await speaker(server.url, 'Ada', 'first');
  await server.stop();
  const [before, { mtimeMs, ctimeMs }] = [bytesIn(data), statSync(join(data, 'holdfast.db'))];
  const to = join(await newFolder(), 'copy.db');
  expect(await operate('backup', [to], { data })).toMatchObject({ code: 0 });
  expect(contentOf(to).bodies).toEqual(['first']);
  expect(bytesIn(data)).toEqual(before);
  expect(statSync(join(data, 'holdfast.db'))).toMatchObject({ mtimeMs, ctimeMs });
});

test('a deleted text is in no byte of a backup, though its pages are still in the WAL of the server', async () => {
  const data = await newFolder();
  const server = await newServer(data);
  const ada = await signUp(server.url, 'Ada');
  using client = await connectClient(server.url, ada);
  const secret = text(`SECRET ${'and long '.repeat(300)}SECRET`);
  await client.append(secret, text('kept'));
  const removal = {
    clientOffset: newId(),
    room: LOBBY,
    kind: 'delete',
    target: secret.clientOffset,
  } as const;
  expect(await client.append(removal)).toMatchObject({ results: [{ serverOffset: expect.any(Number) }] });
  expect(readFileSync(join(data, 'holdfast.db-wal')).includes('SECRET')).toBe(true); // so the search does find existing text
  const to = join(await newFolder(), 'copy.db');
  expect(await operate('backup', [to], { data })).toMatchObject({ code: 0 });
  expect(readFileSync(to).includes('SECRET')).toBe(false);
  expect(contentOf(to).bodies).toContain('kept');
});

test('a server of an older version, which locks out readers, is reported in one sentence', async () => {
  const data = await newFolder();
  await (await newServer(data)).stop();
  using older = new DatabaseSync(join(data, 'holdfast.db'));
  older.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT'); // up to commit 9a947d7
  const folder = await newFolder();
  const { code, output } = await operate('backup', ['x.db'], { data, folder });
  expect([code, output]).toEqual([
    78,
    expect.stringMatching(/such as an older version of Holdfast: stop that one first\.$/m),
  ]);
  expect(readdirSync(folder)).toEqual([]);
});

test('invalid input: one sentence that says what to do, and nothing is written', async () => {
  const data = await newFolder();
  const folder = await newFolder();
  const there = join(folder, 'there.db');
  writeFileSync(there, 'mine');
  await (await newServer(data)).stop();
  const cases = [
    [[], { data }, /^Name one file: npm run backup -- FILE$/],
    [['a', 'b'], { data }, /^Name one file/],
    [[there], { data }, /exists already, and nothing is overwritten: name another file\.$/],
    [[folder], { data }, /is a folder: name a file in it\.$/],
    [[join(folder, 'none', 'x.db')], { data }, /^There is no folder .*: make it first\.$/],
    [['/proc/x.db'], { data }, /\/proc/],
    [
      ['x.db'],
      { data: folder, folder },
      /^There is no database .*: set DATA to the folder that the server has\.$/,
    ],
    [['x.db'], { folder, mongoUrl: 'mongodb://127.0.0.1:1/x' }, /mongodump --uri=… --db=NAME/],
  ] as const;
  for (const [files, settings, sentence] of cases) {
    const { code, output } = await operate('backup', files, settings);
    expect([code, output.trim()]).toEqual([expect.toBeOneOf([64, 78]), expect.stringMatching(sentence)]);
    expect(output.trim()).not.toContain('\n');
  }
  writeFileSync(
    join(data, 'holdfast.db'),
    'no database at all, but long enough to be taken for one'.repeat(20),
  );
  const { output } = await operate('backup', ['x.db'], { data, folder });
  expect(output).toMatch(/is not a database/);
  expect(readdirSync(folder)).toEqual(['there.db']);
  expect(existsSync(join(folder, 'there.db'))).toBe(true);
});

/** The contents of all files of a folder, without the shared index (`-shm`), which SQLite creates again. */
function bytesIn(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder).filter((name) => !name.endsWith('-shm'));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}
