/** Several processes on one contended room, under all faults: all their observations must agree with the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { openMongo } from '../../../../server/store/mongo/index.ts';
import type { Store } from '../../../../server/store/port.ts';
import { newId, newRoom, text, wholeLog } from '../../../contract/support.ts';
import { startMongo } from '../../../support/mongo/index.ts';
import { loadVersion01 } from '../../../support/mongo/version01.ts';
import { startProxy } from '../../../support/proxy.ts';
import { seeded } from '../../../support/random.ts';
import { waitFor } from '../../../support/waitFor.ts';
import { commandFaults, databaseFaults, type Fault, LONG_MS, networkFaults } from '../faults.ts';
import { blankProblems, createTailOrder, orderProblems, type TailOrder, timeProblems } from '../order.ts';
import { createRecord, type Log, type LogRecord } from '../record.ts';
import { storm } from '../storm.ts';
import { type Author, startAuthor } from './author.ts';
import { startWriter, type TailWatcher, type WriterProcess } from './process.ts';
import { startReader } from './reader.ts';

export interface Contention {
  seed: number;
  processes: number;
  stormMs: number;
  /** This many processes run this program of version 0.1, on a database of that version. */
  old?: { processes: number; program: string };
}

export interface ContentionReport {
  /** The number of times for each fault. */
  faults: Map<string, number>;
  entries: number;
  counts: Author['counts'];
  /** The violations, as sentences that begin with the promise. */
  violations: readonly string[];
  /** The output of the processes, for finding the cause. */
  logs: string;
}

const AUTHORS_PER_PROCESS = 2;
const SETTLED_WITHIN_MS = 60_000;

export async function contend({ seed, processes, stormMs, old }: Contention): Promise<ContentionReport> {
  const random = seeded(seed);
  const fork = () => seeded(random.int(0, 2 ** 31));
  const record = createRecord();
  await using mongo = await startMongo({ toBreak: true });
  await using proxy = await startProxy(mongo.port);
  if (old) await loadVersion01(mongo.url);
  const rooms = await withStore(mongo.url, async (store) => [await newRoom(store), await newRoom(store)]);

  const tails = Array.from({ length: processes }, () => createTailOrder(record.violate));
  await using started = new AsyncDisposableStack();
  const writers = await Promise.all(
    tails.map(async (tail, index) => {
      const isOld = index < (old?.processes ?? 0);
      const name = `${isOld ? 'old ' : ''}writer ${index + 1}`;
      const url = mongo.urlThrough(proxy.port);
      const program = isOld ? old!.program : undefined;
      return started.use(await startWriter(name, url, watcherOf(name, tail, record), program));
    }),
  );
  const authors = Array.from({ length: processes * AUTHORS_PER_PROCESS }, () =>
    startAuthor({ writers, rooms, random: fork(), record }),
  );
  const reader = startReader({ writers, rooms, random: fork(), record });

  const faults = await storm({
    lanes: [
      [...networkFaults(proxy), ...commandFaults(mongo), ...databaseFaults(mongo)],
      writers.flatMap(writerFaults),
    ],
    random,
    ms: stormMs,
    progress: () => countsOf(authors).acknowledged,
  });

  await mongo.clearFailPoints();
  await Promise.all(authors.map((author) => author.finish()));
  await reader.stop();
  const logs = await withStore(mongo.url, (store) => settledLogs(store, rooms, tails, record));
  const said = authors.flatMap((author) => author.said());
  return {
    faults,
    entries: logs.reduce((total, { entries }) => total + entries.length, 0),
    counts: countsOf(authors),
    violations: [
      ...record.compare(logs),
      ...orderProblems(said, logs),
      ...logs.flatMap(blankProblems),
      ...(old ? [] : logs.flatMap(timeProblems)), // version 0.1 uses its clock without a correction
    ],
    logs: writers.map((writer) => `${writer.name}:\n${writer.logs()}`).join('\n'),
  };
}

async function withStore<T>(url: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openMongo({ url, log: pino({ level: 'silent' }) });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Reads the logs when every tail has delivered all entries and deleted entries are redacted, or after a timeout. */
async function settledLogs(
  store: Store,
  rooms: readonly string[],
  tails: readonly TailOrder[],
  record: LogRecord,
): Promise<Log[]> {
  const read = () => Promise.all(rooms.map(async (room) => ({ room, entries: await wholeLog(store, room) })));
  const hasAll = async () => {
    for (const room of rooms.filter((one) => tails.some((tail) => !tail.heads.has(one)))) {
      // A tail that began after the last entry, after a gap or a restart, delivers nothing until there is a new entry.
      await store.log.append([text(room, newId(), 'the end')], Date.now());
    }
    const ends = await store.log.heads(rooms);
    return tails.every((tail) => rooms.every((room) => tail.heads.get(room) === ends.get(room)));
  };
  await waitFor('every tail has told of everything', hasAll, SETTLED_WITHIN_MS).catch(async () => {
    const behind = tails.map((tail) => JSON.stringify([...tail.heads]));
    const ends = JSON.stringify([...(await store.log.heads(rooms))]);
    record.violate(`L2 the tails stand at ${behind.join(' and ')}, the logs at ${ends}`);
  });
  const isBlank = async () => (await read()).flatMap(blankProblems).length === 0;
  await waitFor('deleted entries are redacted', isBlank).catch(() => {}); // the comparison reports it
  return read();
}

function watcherOf(name: string, tail: TailOrder, record: LogRecord): TailWatcher {
  return {
    onOpen: tail.onOpen,
    onGap: tail.onGap,
    onCrash: () => record.violate(`${name} ended by itself`),
    onBatch: (batch) => {
      tail.onBatch(batch);
      for (const { room, entry } of batch) record.tell({ room, ...entry }, `the tail of ${name}`);
    },
  };
}

function writerFaults(writer: WriterProcess): Fault[] {
  return [
    {
      name: 'writer killed by -9',
      strike: async () => {
        await writer.kill9();
        await writer.start();
      },
    },
    {
      name: 'writer stopped',
      strike: async (random) => {
        await writer.pause();
        await sleep(random.int(300, LONG_MS));
        writer.resume();
      },
    },
  ];
}

function countsOf(authors: readonly Author[]): Author['counts'] {
  const sum = (count: keyof Author['counts']) =>
    authors.reduce((total, { counts }) => total + counts[count], 0);
  return {
    acknowledged: sum('acknowledged'),
    repeated: sum('repeated'),
    refused: sum('refused'),
    unanswered: sum('unanswered'),
  };
}
