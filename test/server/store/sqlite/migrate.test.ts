/** A database that version 0.1 wrote (test/fixtures/sqlite-0.1), opened by this version. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../../../server/ingest/checkItem.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { append, appendNew, edit, item, newId, text, wholeLog } from '../../../contract/support.ts';
import { seeded } from '../../../support/random.ts';
import { unpackSqlite01, writeSqlite01 } from '../../../support/sqlite01.ts';
import { useProductKinds, useTestKinds } from '../../../support/testKinds.ts';
import { newFolder, silent } from './harness.ts';

async function old() {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'holdfast.db');
  return { folder, file, said: await writeSqlite01(file) };
}

async function open(file: string) {
  const store = await openSqlite({ file, log: silent });
  onTestFinished(() => store.close());
  return store;
}

it('L3 every entry is unchanged, every key is known, digests are the same', async () => {
  const { file, said } = await old();
  const store = await open(file);
  expect(store.epoch).toBe(said.epoch);
  for (const room of ['lobby', said.deck]) expect(await wholeLog(store, room)).toEqual(said.logs[room]);
  const items = said.appended.map((one) => one.item);
  expect(items.map((one) => digestOf(one))).toEqual(items.map(({ digest }) => digest));
  expect(await append(store, items, 9_000)).toEqual(
    said.appended.map(({ result: { serverOffset, at } }) => ({ tag: 'repeat', serverOffset, at })),
  );
  const [ada, bob] = said.users.map(({ id }) => id) as [string, string];
  expect(await store.users.byToken('token of Bob')).toMatchObject({ user: { id: bob, name: 'Bob', rev: 0 } });
  expect(await store.users.byId(ada)).toMatchObject({ passwordHash: 'a hash', rev: 0 });
  expect(await store.rooms.ofUser(ada)).toMatchObject(
    [
      { room: { id: said.deck, members: 2, head: said.logs[said.deck]!.length }, readUpTo: 7 },
      { room: { id: 'lobby', members: 1 } },
    ].toSorted((a, b) => (a.room.id < b.room.id ? -1 : 1)),
  );
  expect(await store.rooms.isMember('lobby', bob)).toBe(false);
  const listed = await store.rooms.listPublic(undefined, 100);
  expect(listed.map(({ id }) => id)).toContain('lobby');
  for (const { id, activeAt, createdAt } of listed)
    expect(activeAt).toBe((await wholeLog(store, id)).at(-1)?.at ?? createdAt);
});

it('every session is valid, and counts as used at the upgrade', async () => {
  const { file, said } = await old();
  const at = Date.now();
  const store = await open(file);
  for (const { id, name } of said.users) {
    const found = await store.users.byToken(`token of ${name}`);
    expect(found).toMatchObject({ user: { id, name } });
    expect(found?.seenAt).toBeGreaterThanOrEqual(at);
    expect(await store.users.devicesOf(id)).toMatchObject([{ id: found?.device, seenAt: found?.seenAt }]);
    expect(await store.users.expireDevices(at, 100)).toBe(0);
    expect(await store.users.removeDevice(id, found!.device, at)).toBe(true);
    expect(await store.users.wasSignedOut(`token of ${name}`)).toBe(true);
  }
});

it('later entries may be of any kind; old texts are counted, found and edited', async () => {
  useTestKinds();
  onTestFinished(useProductKinds);
  const { file, said } = await old();
  const store = await open(file);
  const [ada, bob] = said.users.map(({ id }) => id) as [string, string];
  const head = said.logs[said.deck]!.length;
  expect(await store.log.messageAt(said.deck, head, 1)).toBe(head);
  expect(await store.log.unread(said.deck, bob, head - 1, 100)).toBe(1);
  const first = said.appended.find(({ item: { room, kind } }) => room === said.deck && kind === 'text')!;
  const note = { ...item({ room: said.deck, author: ada, clientOffset: newId() }, { kind: 'test-message' }) };
  await appendNew(store, [{ ...note, content: { words: 'new' } }, edit(first.item, 'changed after all')]);
  expect((await store.log.range(said.deck, 1, 3, 100_000)).amendments).toMatchObject([
    { kind: 'edit', target: first.result.serverOffset, body: 'changed after all' },
  ]);
  expect((await wholeLog(store, said.deck)).at(-2)).toMatchObject({ kind: 'test-message', words: 'new' });
  expect(await store.users.rename(ada, 'Ada Lovelace', 'ada lovelace')).toMatchObject({ rev: 1 });
});

it('repeated kill -9 during the migration: the file is the old version or the new one, and finally the new one', async () => {
  const { file, said } = await old();
  const db = new DatabaseSync(file);
  db.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
    INSERT INTO entries (room, serverOffset, author, clientOffset, at, kind, body, digest)
    SELECT 'large', i, 'someone', 'key ' || i, 1, 'text', 'text ' || i, 'digest' FROM n`);
  db.close();
  const version = () => {
    const look = new DatabaseSync(file);
    const [found] = Object.values(look.prepare('PRAGMA user_version').get()!);
    look.close();
    return found as number;
  };
  const random = seeded(11);
  const child = fileURLToPath(new URL('./child.ts', import.meta.url));
  let inTheMiddle = 0;
  for (let kills = 0; kills < 12 && version() === 1; kills++) {
    const migrating = spawn(process.execPath, [child, 'hold', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const begun = once(migrating.stdout, 'data').then(() => 'open' as const);
    await sleep(random.int(50, 400)); // before, during or after the opening
    migrating.kill('SIGKILL');
    await Promise.race([begun, once(migrating, 'exit')]);
    if (version() === 1) inTheMiddle++;
  }
  expect(inTheMiddle).toBeGreaterThan(0);
  const store = await open(file);
  for (const room of ['lobby', said.deck]) expect(await wholeLog(store, room)).toEqual(said.logs[room]);
  expect(await store.log.messageAt('large', 150_000, 50)).toBe(150_000 - 49);
  expect(await appendNew(store, [text('lobby', said.users[0]!.id, 'goes on')])).toHaveLength(1);
  await store.close();
  expect(version()).toBeGreaterThan(1);
});

it('version 0.1 then refuses it with an error message, and changes nothing', async () => {
  const { folder, file } = await old();
  await (await openSqlite({ file, log: silent })).close();
  await unpackSqlite01(join(folder, 'old'));
  const script = join(folder, 'old', 'open.ts');
  await writeFile(
    script,
    `import { openSqlite } from './server/store/sqlite/index.ts';
     await openSqlite({ file: process.argv[2], log: console }).then(
       (store) => store.close().then(() => console.log('open')),
       (error) => console.log(error.message),
     );`,
  );
  const fresh = spawnSync(process.execPath, [script, join(folder, 'fresh.db')], { encoding: 'utf8' });
  expect(fresh.stdout).toBe('open\n'); // the old version runs
  const refused = spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
  expect(refused.stdout).toContain(
    'was written by a newer version of Holdfast: install that version or a later one.',
  );
  const store = await open(file);
  expect(await wholeLog(store, 'lobby')).not.toEqual([]);
});
