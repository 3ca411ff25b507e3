/** Processes of version 0.1 and of the present version on one MongoDB, as during a rolling upgrade. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishUpgrade } from '../../../server/store/mongo/open/maintenance.ts';
import type { Committed, NewEntry } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { edit, join, leave, remove, text, upTo } from '../../contract/support.ts';
import { silent } from '../../server/store/mongo/harness.ts';
import { startMongo } from '../../support/mongo/index.ts';
import { loadVersion01, unpackVersion01, type Version01Store } from '../../support/mongo/version01.ts';
import { run } from '../../support/tools.ts';
import { waitFor } from '../../support/waitFor.ts';
import { contend } from './writers/contend.ts';
import { startWriter, type WriterProcess } from './writers/process.ts';

const CHILD = 'test/fault/mongo/writers/child.ts';

let version01: Version01Store;
beforeAll(async () => {
  version01 = await unpackVersion01();
});
afterAll(() => version01.remove());

describe('before the upgrade is finished', () => {
  it('L1 L2 L3 an old and a new process write at once, and each reads the entries of both unchanged', {
    timeout: 120_000,
  }, async () => {
    await using mongo = await startMongo({ toBreak: true });
    const { users, rooms } = await loadVersion01(mongo.url);
    const heard: Committed[][] = [[], []];
    const started = (index: number, name: string, program?: string) => {
      const watcher = {
        onOpen() {},
        onGap() {},
        onCrash() {},
        onBatch: (batch: Committed[]) => heard[index]!.push(...batch),
      };
      return startWriter(name, mongo.url, watcher, program);
    };
    await using old = await started(0, 'old', version01.path(CHILD));
    await using today = await started(1, 'today');
    const room = rooms.deck;
    const [ada, bob] = users.map(({ id }) => id) as [string, string];
    const before = (await read(today, room)).length;

    const say = async (writer: WriterProcess, author: string) => {
      const said: NewEntry[] = [];
      for (const n of upTo(20)) {
        const [mine, gone] = [text(room, author, `${n}`), text(room, author, `secret ${n}`)];
        const batch = [mine, edit(mine, `${n}!`), gone, edit(gone, `secret ${n}!`), remove(gone)];
        const moves = [leave(room, author), join(room, author)];
        for (const items of [batch, moves]) {
          const outcome = await writer.ask('append', items, n);
          expect(outcome?.results.map(({ tag }) => tag)).toEqual(items.map(() => 'appended'));
          said.push(...items);
        }
      }
      return said;
    };
    const [byOld, byToday] = await Promise.all([say(old, ada), say(today, bob)]);
    const log = (await read(old, room)).slice(before);
    expect((await read(today, room)).slice(before)).toEqual(log);
    expect(log.map(({ serverOffset }) => serverOffset)).toEqual(upTo(log.length).map((n) => before + n));
    for (const [author, said] of [
      [ada, byOld],
      [bob, byToday],
    ] as const)
      expect(log.filter((entry) => entry.author === author).map(asSaid)).toEqual(
        said.map((one) => expected(one, said)),
      );

    // A received entry may have been redacted since; otherwise it equals the log.
    for (const seen of heard) {
      await waitFor(
        'all of it was heard',
        () => seen.filter((one) => one.room === room).length >= log.length,
      );
      const entries = seen.filter((one) => one.room === room).map(({ entry }) => entry);
      expect(entries.slice(-log.length).map(withoutContent)).toEqual(log.map(withoutContent));
      expect(JSON.stringify(log)).not.toContain('secret');
    }
    // Repeats of the other process's items.
    for (const [writer, said] of [
      [old, byToday],
      [today, byOld],
    ] as const) {
      const outcome = await writer.ask('append', said, 99);
      expect(outcome?.results.map(({ tag }) => tag)).toEqual(said.map(() => 'repeat'));
    }
  });

  it('L1 L2 L3 L4 L5 hold for both under kills, cuts, stalls, fail points and step-downs', {
    timeout: 240_000,
  }, async () => {
    const old = { processes: 2, program: version01.path(CHILD) };
    const report = await contend({ seed: 11, processes: 3, stormMs: 15_000, old });
    expect(report.violations, report.logs).toEqual([]);
    expect(report.entries).toBeGreaterThan(100);
    expect(report.faults.size).toBeGreaterThan(5);
  });
});

it('afterwards an old process refuses to start, with its error message, and a new one starts', {
  timeout: 60_000,
}, async () => {
  await using mongo = await startMongo({ toBreak: true });
  await loadVersion01(mongo.url);
  await finishUpgrade(mongo.url, silent);
  const { code, output } = await run(process.execPath, [version01.path(CHILD), mongo.url]);
  expect(code).not.toBe(0);
  expect(output).toContain(
    'was written by a newer version of Holdfast: install that version or a later one.',
  );
  const ignores = { onOpen() {}, onBatch() {}, onGap() {}, onCrash() {} };
  await using today = await startWriter('today', mongo.url, ignores);
  expect(await today.ask('heads', ['lobby'])).toEqual(new Map([['lobby', expect.any(Number)]]));
});

async function read(writer: WriterProcess, room: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const answer = await writer.ask('range', room, entries.length + 1, entries.length + 200, 1_000_000);
    entries.push(...answer!.entries);
    if (entries.length >= answer!.head) return entries;
  }
}

/** The fields of an entry that its author can compare. */
function asSaid({ clientOffset, kind, body, deleted }: Entry & { body?: string }) {
  return { clientOffset, kind, body, deleted };
}

function expected({ clientOffset, kind, body, target }: NewEntry, said: readonly NewEntry[]) {
  const removed = new Set(said.flatMap((one) => (one.kind === 'delete' ? one.target : [])));
  const isGone = kind !== 'delete' && (removed.has(clientOffset) || removed.has(target));
  return {
    clientOffset,
    kind,
    body: isGone ? undefined : body,
    deleted: isGone ? (true as const) : undefined,
  };
}

function withoutContent(entry: Entry) {
  const { body: _, deleted: __, ...kept } = entry as Entry & { body?: string };
  return kept;
}
