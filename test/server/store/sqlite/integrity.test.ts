/** When a database is checked, and what is remembered from one run to the next. */
import { type ChildProcess, spawn } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { Unusable } from '../../../../server/store/port.ts';
import { openWriter } from '../../../../server/store/sqlite/connections.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { startCheck } from '../../../../server/store/sqlite/integrity.ts';
import { appendNew, newId, text, upTo } from '../../../contract/support.ts';
import { answerOf, newFolder, silent } from './harness.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await newFolder();
  file = join(folder, 'holdfast.db');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const damaged = () =>
  `The database ${file} is damaged: put a backup in its place, or move it away to begin with an empty one.`;

/** Opens the file; returns the processes that check it, and whether it is found damaged. */
async function opened() {
  const checks: ChildProcess[] = [];
  const note = (message: unknown) => void checks.push((message as { process: ChildProcess }).process);
  diagnostics.subscribe('child_process', note);
  const damage = Promise.withResolvers<Unusable>();
  const store = await openSqlite({ file, log: silent, onDamage: damage.resolve }).finally(() =>
    diagnostics.unsubscribe('child_process', note),
  );
  onTestFinished(() => store.close());
  return { store, checks, damage: damage.promise };
}

/** Waits for the end of the check. */
async function ended({ checks }: { checks: ChildProcess[] }): Promise<void> {
  await expect.poll(() => checks[0]?.exitCode, { timeout: 20_000 }).toBe(0);
}

/** Larger than a file that is checked on opening: 6 MB. */
async function makeLarge(): Promise<void> {
  const { store } = await opened();
  const author = newId();
  for (let n = 0; n < 5; n++) {
    const batch = upTo(300).map((m) => text('lobby', author, `${n}.${m} ${'x'.repeat(4_000)}`));
    await appendNew(store, batch);
  }
  await store.close();
  expect(statSync(file).size).toBeGreaterThan(5_000_000);
}

/** Offset in the middle of the large file: pages of bodies, which no start reads. */
function damageInside(path = file): void {
  writeFileSync(path, readFileSync(path).fill(0xa5, 3_000_000, 3_200_000));
}

async function refusal(): Promise<string> {
  const error = await opened().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Unusable);
  return (error as Unusable).message;
}

it('after a run that was closed properly nothing is checked, and the mark is removed while the database is in use', async () => {
  await makeLarge();
  expect(existsSync(`${file}.checked`)).toBe(true);
  const { store, checks } = await opened();
  expect(existsSync(`${file}.checked`)).toBe(false);
  expect(checks).toEqual([]);
  await store.close();
  expect((await opened()).checks).toEqual([]);
});

it('after a run that was not closed properly the database is used at once, and checked in parallel', async () => {
  await makeLarge();
  const [said, child] = await answerOf('hold', file);
  expect(said).toBe('open');
  child.kill('SIGKILL');
  const first = await opened();
  expect(first.checks).toHaveLength(1);
  await appendNew(first.store, [text('lobby', newId(), 'while it is checked')]);
  await ended(first);
  await first.store.close();
  expect((await opened()).checks).toEqual([]); // found intact, and closed properly
});

it('damage found by the check is reported with the same message as at the start; after that the file is refused at once', async () => {
  await makeLarge();
  damageInside();
  const { store, damage } = await opened();
  expect((await damage).message).toBe(damaged());
  await store.close();
  expect(await refusal()).toBe(damaged());
  expect(await refusal()).toBe(damaged());
});

it.each([
  ['copied over it', (copy: string) => copyFileSync(copy, file)],
  ['moved over it', (copy: string) => renameSync(copy, file)],
  [
    'with the times of the one before',
    (copy: string) => {
      const { atime, mtime } = statSync(file);
      renameSync(copy, file);
      utimesSync(file, atime, mtime);
    },
  ],
])('a file that was replaced by hand is checked, even after a proper close: %s', async (_, put) => {
  await makeLarge();
  const copy = join(folder, 'copy.db');
  copyFileSync(file, copy);
  damageInside(copy);
  put(copy);
  const { damage } = await opened();
  expect((await damage).message).toBe(damaged());
});

it('a damaged file that was replaced by an intact one is not refused', async () => {
  await makeLarge();
  const copy = join(folder, 'copy.db');
  copyFileSync(file, copy);
  damageInside();
  const first = await opened();
  await first.damage;
  await first.store.close();
  renameSync(copy, file);
  await appendNew((await opened()).store, [text('lobby', newId(), 'goes on')]);
});

it('closing a store during its check stops the check, and leaves no mark', async () => {
  await makeLarge();
  rmSync(`${file}.checked`);
  const { store, checks } = await opened();
  await store.close();
  expect(checks[0]?.signalCode).toBe('SIGKILL');
  expect(existsSync(`${file}.checked`)).toBe(false);
  expect((await opened()).checks).toHaveLength(1);
});

it('a reader that finds damage long after the start causes a check of the file', async () => {
  await makeLarge();
  const { store, damage } = await opened();
  damageInside();
  for (let from = 1; from < 1_500; from += 50)
    await store.log.range('lobby', from, from + 49, 1_000_000).catch(() => {});
  expect((await damage).message).toBe(damaged());
});

it('no mark is left when the WAL file could not be checkpointed', async () => {
  const { store } = await opened();
  const other = new DatabaseSync(file, { readOnly: true });
  onTestFinished(() => other.close());
  other.exec('BEGIN; SELECT * FROM meta');
  other.prepare('SELECT * FROM meta').get();
  await appendNew(store, [text('lobby', newId(), 'kept in the log of changes')]);
  await store.close();
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
  expect(existsSync(`${file}.checked`)).toBe(false);
});

it('a small file is checked completely before it is used', async () => {
  const { store } = await opened();
  await store.close();
  rmSync(`${file}.checked`);
  expect(openAndClose(false)).toBe(true);
  expect((await opened()).checks).toEqual([]);
});

it('a large file with damaged first pages is refused at once', async () => {
  await makeLarge();
  writeFileSync(file, readFileSync(file).fill(0xa5, 4_096 * 3, 4_096 * 12));
  expect(await refusal()).toBe(damaged());
});

it('a check ends with the process that started it', async () => {
  await makeLarge();
  const script = `
    const { startCheck } = await import(process.argv[1]);
    startCheck(process.argv[2], console);
    process.once('message', () => {});
  `;
  const path = new URL('../../../../server/store/sqlite/integrity.ts', import.meta.url).pathname;
  const asker = spawn(process.execPath, ['--input-type=module', '-e', script, path, file], {
    stdio: 'ignore',
  });
  await expect.poll(() => childrenOf(asker.pid!).length, { timeout: 20_000 }).toBe(1);
  const [checker] = childrenOf(asker.pid!);
  asker.kill('SIGKILL');
  await expect.poll(() => existsSync(`/proc/${checker}`), { timeout: 20_000 }).toBe(false);
});

it('a check that fails to run says nothing about the file', async () => {
  const warnings: unknown[] = [];
  const check = startCheck(join(folder, 'none.db'), { warn: (said: unknown) => void warnings.push(said) });
  expect(await check.found).toBe('unknown');
  expect(warnings).toEqual([{ file: join(folder, 'none.db'), why: expect.stringMatching(/unable to open/) }]);
});

function openAndClose(isKnownWhole: boolean): boolean {
  const { db, isChecked } = openWriter(file, { isKnownWhole });
  db.close();
  return isChecked;
}

function childrenOf(pid: number): string[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? readFileSync(path, 'utf8').split(' ').filter(Boolean) : [];
}
