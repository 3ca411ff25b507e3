/** At rest: only the user of the server can read the folder of the database and its files. */
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { repairModes } from '../../../../server/store/sqlite/fileModes.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { operate } from '../../../support/operator.ts';
import { startServer } from '../../../support/serverProcess.ts';
import { answerOf, newFolder, silent } from './harness.ts';

async function folderInTest(): Promise<string> {
  const folder = await newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const modeOf = (path: string) => (statSync(path).mode & 0o1777).toString(8);

/** Names with their modes; `.` is the folder itself. */
function modesIn(folder: string): Record<string, string> {
  return Object.fromEntries(['.', ...readdirSync(folder)].map((name) => [name, modeOf(join(folder, name))]));
}

const PRIVATE = {
  '.': '700',
  'holdfast.db': '600',
  'holdfast.db-shm': '600',
  'holdfast.db-wal': '600',
  'holdfast.db.lock': '600',
};

test('a server creates its folder with mode 700 and its files with 600, while it runs, after a kill, and after it stopped', async () => {
  const data = join(await folderInTest(), 'new', 'data');
  await using server = await startServer({ data });
  expect(modesIn(data)).toEqual(PRIVATE);
  expect(modeOf(join(data, '..'))).toBe('700');
  await server.kill9();
  await server.start();
  expect(modesIn(data)).toEqual(PRIVATE);
  await server.stop();
  expect(modesIn(data)).toEqual({
    '.': '700',
    'holdfast.db': '600',
    'holdfast.db.checked': '600',
    'holdfast.db.lock': '600',
  });
});

test('modes of an earlier version, also of a killed server, are repaired at the start', async () => {
  const data = await folderInTest();
  await using server = await startServer({ data });
  await server.kill9();
  writeFileSync(join(data, 'holdfast-tuesday.db'), 'a backup');
  for (const name of readdirSync(data)) chmodSync(join(data, name), 0o644);
  chmodSync(data, 0o755);
  await server.start();
  expect(modesIn(data)).toEqual({ ...PRIVATE, 'holdfast-tuesday.db': '600' });
});

test('a folder that everybody shares, or that holds other things, stays as it is; the files in it become private', async () => {
  const [shared, mixed] = [await folderInTest(), await folderInTest()];
  chmodSync(shared, 0o1777);
  chmodSync(mixed, 0o755);
  mkdirSync(join(mixed, 'holdfast-pictures'), { mode: 0o755 });
  for (const folder of [shared, mixed]) {
    const file = join(folder, 'holdfast.db');
    writeFileSync(file, '', { mode: 0o644 });
    await (await openSqlite({ file, log: silent })).close();
    expect(modeOf(file)).toBe('600');
  }
  expect([modeOf(shared), modeOf(mixed)]).toEqual(['1777', '755']);
  expect(modeOf(join(mixed, 'holdfast-pictures'))).toBe('755');
});

test('a repair does not cost the integrity mark: it is written with the new modes', async () => {
  const file = join(await folderInTest(), 'holdfast.db');
  await (await openSqlite({ file, log: silent })).close();
  const { ctimeMs } = statSync(file);
  repairModes(file, silent); // nothing to repair: no chmod, which would change the ctime
  expect(statSync(file).ctimeMs).toBe(ctimeMs);
});

test('backups, a restored database and the old one that restore keeps are private, whatever the copy was', async () => {
  const [data, disk] = [await folderInTest(), await folderInTest()];
  await using server = await startServer({ data });
  const copy = join(disk, 'copy.db');
  expect(await operate('backup', [copy], { data })).toMatchObject({ code: 0 });
  expect(modeOf(copy)).toBe('600');
  await server.stop();
  for (const path of [copy, join(data, 'holdfast.db')]) chmodSync(path, 0o644);
  expect(await operate('restore', [copy], { data })).toMatchObject({ code: 0 });
  for (const name of readdirSync(data)) expect([name, modeOf(join(data, name))]).toEqual([name, '600']);
  expect(readdirSync(data).filter((name) => name.includes('.before-'))).toHaveLength(1);
});

// only root can make a file that belongs to another user
test.runIf(process.getuid?.() === 0)(
  'a database that others can read, and whose mode cannot be repaired, is a warning at the start',
  async () => {
    const folder = await folderInTest();
    const file = join(folder, 'holdfast.db');
    await (await openSqlite({ file, log: silent })).close();
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o666);
    chmodSync(folder, 0o777);
    const [first] = await answerOf('hold-as-nobody', file);
    expect(first).toContain('other users of this machine can read these files');
    expect(first).toContain(file);
  },
);
