/**
 * Measures the latency of appends on SQLite at half load, with and without concurrent reads: `range` a hundred times a second,
 * backups one after another, scans of the whole table. Turns of one second without and with reads alternate, so that compared
 * values are measured within seconds. Uses the store and the batching of ingest, without sockets.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../../server/base/logger.ts';
import { createLanes, oneLane } from '../../../server/ingest/batcher.ts';
import type { Store } from '../../../server/store/port.ts';
import { openSqlite } from '../../../server/store/sqlite/index.ts';
import { newId, text, upTo } from '../../contract/support.ts';
import { dieTogether } from '../../support/orphans.ts';
import { seeded } from '../../support/random.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { ROOT } from '../../support/tools.ts';

export const COMPANY = ['range', 'backup', 'scan'] as const;
export type Company = (typeof COMPANY)[number];

/** Milliseconds from an append to its acknowledgement, in a turn without reads and in the next turn with reads. */
export interface Turn {
  alone: Percentiles;
  beside: Percentiles;
  /** The number of completed reads. */
  reads: number;
}

export interface Percentiles {
  p50: number;
  p99: number;
  appends: number;
}

export interface Lengths {
  /** Entries in the database at the beginning. */
  entries: number;
  /** The number of pairs of turns. */
  turns: number;
  turnMs: number;
}

/** `perSecond`: half of the maximum rate of acknowledged appends. */
export async function measureBeside(
  companies: readonly Company[],
  { entries, turns, turnMs }: Lengths,
): Promise<{ perSecond: number; by: Map<Company, Turn[]> }> {
  await using folder = await temporaryFolder();
  const store = await openSqlite({ file: join(folder.path, 'holdfast.db'), log: createLogger('warn') });
  try {
    await fill(store, entries);
    const append = appendOn(store);
    await saturate(append, turnMs);
    const perSecond = (await saturate(append, 2 * turnMs)) / 2;
    const by = new Map<Company, Turn[]>();
    for (const company of companies) {
      const measured: Turn[] = [];
      while (measured.length < turns) {
        const alone = percentiles(await trickle(append, perSecond, turnMs));
        const dismiss = invite(company, store, folder.path, entries);
        await sleep(SETTLE_MS[company]);
        const beside = percentiles(await trickle(append, perSecond, turnMs));
        measured.push({ alone, beside, reads: await dismiss() });
      }
      by.set(company, measured);
    }
    return { perSecond, by };
  } finally {
    await store.close();
  }
}

type Append = () => Promise<void>;

/** Appends one message per author, batched as in the server. */
function appendOn(store: Store): Append {
  const lanes = createLanes((items) => store.log.append(items, Date.now()), oneLane);
  const authors = upTo(200).map(newId);
  const random = seeded(1);
  return async () => {
    const { results } = await lanes.append([text('lobby', random.pick(authors), BODY)]);
    if (results[0]?.tag !== 'appended') throw new Error(`not appended: ${JSON.stringify(results)}`);
  };
}

const BODY = 'a message of forty characters, as people';

async function fill(store: Store, entries: number): Promise<void> {
  const author = newId();
  for (let left = entries; left > 0; left -= 1_000)
    await store.log.append(
      upTo(Math.min(left, 1_000)).map(() => text('lobby', author, BODY)),
      1,
    );
}

/** 200 concurrent authors, each with one append after the other. Resolves with the acknowledged appends per second. */
async function saturate(append: Append, forMs: number): Promise<number> {
  const start = performance.now();
  let count = 0;
  const everyone = upTo(200).map(async () => {
    for (; performance.now() - start < forMs; count++) await append();
  });
  await Promise.all(everyone);
  return (1_000 * count) / (performance.now() - start);
}

/** Appends at a fixed rate, without waiting for acknowledgements. Resolves with the latencies in ms. */
async function trickle(append: Append, perSecond: number, forMs: number): Promise<number[]> {
  const took: number[] = [];
  const under: Promise<void>[] = [];
  const start = performance.now();
  for (let said = 0; performance.now() - start < forMs; ) {
    const due = Math.floor(((performance.now() - start) * perSecond) / 1_000);
    for (; said < due; said++) {
      const at = start + (said * 1_000) / perSecond; // when it was due
      under.push(append().then(() => void took.push(performance.now() - at)));
    }
    await sleep(1);
  }
  await Promise.all(under);
  return took;
}

/** Backups and scans are processes, which need some time until they read. */
const SETTLE_MS: Record<Company, number> = { range: 10, backup: 500, scan: 500 };

/** Reads until the returned function is called; that resolves with the number of reads. */
function invite(company: Company, store: Store, data: string, entries: number): () => Promise<number> {
  switch (company) {
    case 'range':
      return ranges(store, entries);
    case 'backup':
      return backups(data);
    case 'scan':
      return program('test/bench/beside/scan.ts', [join(data, 'holdfast.db')]);
  }
}

function ranges({ log }: Store, entries: number): () => Promise<number> {
  const random = seeded(2);
  const asked: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    const from = random.int(1, entries - RANGE_ENTRIES);
    asked.push(log.range('lobby', from, from + RANGE_ENTRIES - 1, RANGE_BYTES));
  }, RANGE_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await Promise.all(asked);
    return asked.length;
  };
}

const RANGE_EVERY_MS = 10;
const RANGE_ENTRIES = 200;
const RANGE_BYTES = 64 * 1024;

function backups(data: string): () => Promise<number> {
  const to = join(data, 'copy.db');
  let [isOver, count] = [false, 0];
  const running = (async () => {
    for (; !isOver; count++) {
      const child = start('server/backup/main.ts', ['backup', to], { DATA: data });
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`a backup ended with ${code}`);
      await rm(to);
    }
  })();
  return async () => {
    isOver = true;
    await running;
    return count;
  };
}

/** Runs a program that prints a line for each completed read. */
function program(script: string, args: string[]): () => Promise<number> {
  const child = start(script, args, {});
  let lines = 0;
  child.stdout!.setEncoding('utf8').on('data', (said: string) => {
    lines += said.split('\n').length - 1;
  });
  const ended = once(child, 'exit');
  return async () => {
    child.kill('SIGKILL');
    const [code] = await ended;
    if (code !== null) throw new Error(`${script} ended with ${code}`);
    return lines;
  };
}

function start(script: string, args: string[], env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout!.resume();
  dieTogether(child);
  return child;
}

function percentiles(took: number[]): Percentiles {
  const sorted = took.sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), appends: sorted.length };
}
