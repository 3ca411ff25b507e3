/** One process at a time, of this version and of older ones, also while a thread restarts. */
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Store, Unusable } from '../../../../server/store/port.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { takeLock } from '../../../../server/store/sqlite/processLock.ts';
import { appendNew, newId, text } from '../../../contract/support.ts';
import { unpackSqlite01 } from '../../../support/sqlite01.ts';
import { answerOf, answerOfScript, newFolder, silent } from './harness.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await newFolder();
  file = join(folder, 'holdfast.db');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const open = (path = file) => openSqlite({ file: path, log: silent });

async function opened(): Promise<Store> {
  const store = await open();
  onTestFinished(() => store.close());
  return store;
}

async function refusal(path = file): Promise<string> {
  const error = await open(path).then(
    (store) => store.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Unusable);
  return (error as Unusable).message;
}

const inUse = () =>
  `The database ${file} is in use by another process: stop that one, or set DATA to another folder.`;

it('a second process is refused while the first one runs, and can open the file when that was killed', async () => {
  const [said, first] = await answerOf('hold', file);
  expect(said).toBe('open');
  expect(await refusal()).toBe(inUse());
  first.kill('SIGKILL');
  await (await open()).close();
});

it('a second opening in this process is refused, and does not release the first one’s lock', async () => {
  const store = await opened();
  expect(await refusal()).toBe(inUse());
  expect((await answerOf('hold', file))[0]).toBe(`Unusable: ${inUse()}`);
  await appendNew(store, [text('lobby', newId(), 'still here')]);
});

it('a second process waits a moment for one that is stopping', async () => {
  const first = await open();
  const second = open();
  await first.close();
  await (await second).close();
});

it('a failed opening releases the database', async () => {
  mkdirSync(file);
  expect(await refusal()).toMatch(/is not a file/);
  rmSync(file, { recursive: true });
  await (await open()).close();
});

it('a symbolic link is resolved for the lock, also to a file that does not exist yet', async () => {
  const [one, other] = [join(folder, 'one.db'), join(folder, 'other.db')];
  for (const link of [one, other]) symlinkSync(file, link);
  const store = await open(one);
  onTestFinished(() => store.close());
  expect(await refusal(other)).toBe(inUse());
  expect(existsSync(`${file}.lock`)).toBe(true);
});

it('the lock file stays empty, without side files', async () => {
  const lock = await takeLock(file);
  expect(statSync(`${file}.lock`).size).toBe(0);
  expect(existsSync(`${file}.lock-journal`)).toBe(false);
  expect(await refusal()).toBe(inUse());
  lock!.release();
  await (await open()).close();
  expect(statSync(`${file}.lock`).size).toBe(0);
});

describe('beside version 0.1, which locks the file exclusively', () => {
  it('L1 it is refused while this version runs, also while the writer thread is down', async () => {
    const workers: { threadName: string | null; terminate(): Promise<number> }[] = [];
    const note = (worker: (typeof workers)[0]) => workers.push(worker);
    process.on('worker', note);
    const store = await opened();
    process.off('worker', note);
    const older = await versionOne();
    expect((await older())[0]).toBe(inUse());
    await workers.find(({ threadName }) => threadName === 'sqlite writer')!.terminate();
    expect((await older())[0]).toBe(inUse());
    await expect.poll(() => store.ping().then(() => 'open'), { timeout: 15_000 }).toBe('open');
    await appendNew(store, [text('lobby', newId(), 'still here')]);
  });

  it('L1 while it runs this version is refused, and can open the file when it was killed', async () => {
    const older = await versionOne();
    const [said, running] = await older();
    expect(said).toBe('open');
    expect(await refusal()).toBe(inUse());
    running.kill('SIGKILL');
    await (await open()).close();
  });

  /** Opens the file with the code of that version, and prints the outcome. */
  async function versionOne() {
    await unpackSqlite01(join(folder, 'old'));
    const script = join(folder, 'old', 'hold.ts');
    await writeFile(
      script,
      `import { openSqlite } from './server/store/sqlite/index.ts';
       await openSqlite({ file: process.argv[2], log: console }).then(
         () => console.log('open'),
         (error) => console.log(error.message),
       );`,
    );
    return () => answerOfScript(script, file);
  }
});
