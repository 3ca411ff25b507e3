/**
 * A restart under load: everybody is connected, some write one message after another, and the server is restarted. `roll`: two
 * workers on MongoDB behind one port are replaced one by one. `restart`: one process on SQLite stops and starts again.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../../../shared/entry.ts';
import { idFrom, LOBBY } from '../../../shared/mint.ts';
import { PROTOCOL } from '../../../shared/protocol/index.ts';
import { wholeLog } from '../../support/api.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { waitFor } from '../../support/waitFor.ts';
import { inGroups } from '../load/crowd.ts';
import { openDatabase } from '../stand/database.ts';
import { type Member, membersFor, seed } from '../stand/seed.ts';
import { cpuOf } from '../stand/usage.ts';
import { type Absence, type Returner, startReturner } from './returner.ts';

export type How = 'roll' | 'restart';

export interface RestartReport {
  /** The time from the signal until all workers are replaced, or the new process listens. */
  restartMs: number;
  /** From the loss of each connection to its next `welcome`. */
  absences: readonly Absence[];
  /** From the first loss until everybody was back. */
  allBackMs: number;
  /** The most `welcome` frames of one second. */
  peakPerSecond: number;
  /** CPU of the server's processes, from the signal until everybody was back, and of as long a time before. */
  cpuMs: { during: number; before: number };
  written: number;
  /** Entries that clients were sent again on one connection or another, which is allowed. */
  sentAgain: number;
  /** Sentences. */
  violations: readonly string[];
}

interface Options {
  how: How;
  clients: number;
  writers: number;
  backWithinMs: number;
}

const STARTED_WITHIN_MS = 60_000;

export async function measureRestart({
  how,
  clients,
  writers,
  backWithinMs,
}: Options): Promise<RestartReport> {
  await using database = await openDatabase(how === 'roll' ? 'mongo2' : 'sqlite');
  const members = membersFor(clients);
  const store = await database.openStore();
  const cursor = await seed(store, members);
  await store.close();
  // as behind a proxy: clients of one address would all be one worker's
  const env = { ...database.env, LOG_LEVEL: 'info', AUDIT_LOG: 'off', TRUST_PROXY: '1' };
  const { DATA: data, ...others } = env as Record<string, string>;
  await using server = await startServer({
    env: { ...others, ...(how === 'roll' && { WORKERS: '2' }) },
    ...(data !== undefined && { data }),
  });
  if (how === 'roll') await readyWorkers(server, 2);
  const returners = await inGroups(clients, async (nth) => {
    const { id, token } = members[nth]!;
    const auth = { protocol: PROTOCOL, features: ['entries2'], as: id, token };
    const one = startReturner({ url: server.url, auth, room: LOBBY, cursor });
    await waitFor('it is there', one.isThere, 30_000);
    return one;
  });
  const writing = returners.slice(0, writers).map((one, nth) => startWriting(one, members[nth]!));
  const written = () => writing.reduce((sum, { keys }) => sum + keys.length, 0);
  const isQuiet = async () => written() >= 3 * writers;
  await waitFor('everybody has written', isQuiet, 30_000);

  const idleFrom = { at: performance.now(), cpu: cpuOfAll(server) };
  await sleep(QUIET_MS);
  const perMs = (cpuOfAll(server) - idleFrom.cpu) / (performance.now() - idleFrom.at);

  const began = performance.now();
  const meter = startCpuMeter(server);
  if (how === 'roll') {
    const old = workersOf(server);
    server.hangUp();
    await waitFor(
      'all workers are replaced',
      () => workersOf(server).length === 2 && workersOf(server).every((pid) => !old.includes(pid)),
      2 * STARTED_WITHIN_MS,
    );
  } else {
    await server.stop();
    await server.start();
  }
  const restartMs = performance.now() - began;
  const isBack = () => returners.every((one) => one.isThere() && one.absences.length > 0);
  await waitFor('everybody is back', isBack, backWithinMs).catch(() => {});
  const during = meter.stop();
  const tookMs = performance.now() - began;

  await Promise.all(writing.map((one) => one.end()));
  const log = await wholeLog(server.url, { token: members[0]!.token } as Parameters<typeof wholeLog>[1]);
  const head = log.at(-1)!.serverOffset;
  await waitFor(
    'everybody has everything',
    () => returners.every((one) => one.held() === head),
    30_000,
  ).catch(() => {});
  for (const one of returners) one.close();
  const absences = returners.flatMap((one) => one.absences);
  return {
    restartMs,
    absences,
    allBackMs:
      Math.max(...absences.map(({ backAt }) => backAt)) - Math.min(...absences.map(({ lostAt }) => lostAt)),
    peakPerSecond: peak(absences.map(({ backAt }) => backAt)),
    cpuMs: { during, before: perMs * tookMs },
    written: written(),
    sentAgain: returners.reduce((sum, one) => sum + one.doubled(), 0),
    violations: violationsOf(
      returners,
      writing.flatMap(({ keys }) => keys),
      log,
      cursor[0],
    ),
  };
}

const QUIET_MS = 3_000;
const WRITES_EVERY_MS = 500;

function violationsOf(
  returners: readonly Returner[],
  written: readonly string[],
  log: readonly Entry[],
  from: number,
): string[] {
  const texts = log.filter(({ serverOffset }) => serverOffset > from).map(({ clientOffset }) => clientOffset);
  const head = log.at(-1)!.serverOffset;
  const count = (what: string, number: number) => (number === 0 ? [] : [`${number} ${what}`]);
  const there = new Set(texts);
  return [
    ...count('clients are not back', returners.filter((one) => !one.isThere()).length),
    ...count('clients do not have everything', returners.filter((one) => one.held() !== head).length),
    ...count('acknowledged messages are lost', written.filter((key) => !there.has(key)).length),
    ...count('messages are doubled', texts.length - there.size),
    ...count('messages more than written', texts.length - written.length),
  ];
}

/** Each message again under its key until it is acknowledged. */
function startWriting(one: Returner, { id }: Member) {
  const keys: string[] = [];
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      const item = {
        kind: 'text',
        room: LOBBY,
        clientOffset: idFrom(randomBytes(16)),
        body: `${keys.length}`,
      };
      for (;;) {
        const answer = await one.ask(['append', { as: id, items: [item] }]);
        if (answer?.includes('"serverOffset":')) break;
        await sleep(50);
      }
      keys.push(item.clientOffset);
      await sleep(WRITES_EVERY_MS);
    }
  })();
  return {
    keys,
    async end() {
      isOver = true;
      await done;
    },
  };
}

/** The most within one second. */
function peak(times: number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let [first, most] = [0, 0];
  for (const [last, time] of sorted.entries()) {
    while (sorted[first]! < time - 1_000) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

function processesOf(server: ServerProcess): number[] {
  return server.isAlive() ? [server.pid(), ...workersOf(server)] : [];
}

export function workersOf(server: ServerProcess): number[] {
  const pid = server.pid();
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function cpuOfAll(server: ServerProcess): number {
  return processesOf(server).reduce((sum, pid) => sum + cpuOf(pid), 0);
}

/** CPU of all processes from now on, also of those that begin or end meanwhile; read twice a second. */
function startCpuMeter(server: ServerProcess): { stop(): number } {
  const known = new Map<number, { first: number; last: number }>();
  const begun = new Set(processesOf(server));
  const look = () => {
    for (const pid of processesOf(server)) {
      try {
        const cpu = cpuOf(pid);
        const first = known.get(pid)?.first ?? (begun.has(pid) ? cpu : 0);
        known.set(pid, { first, last: cpu });
      } catch {
        // it has ended
      }
    }
  };
  look();
  const timer = setInterval(look, 500);
  return {
    stop() {
      clearInterval(timer);
      look();
      return [...known.values()].reduce((sum, { first, last }) => sum + last - first, 0);
    },
  };
}

async function readyWorkers(server: ServerProcess, count: number): Promise<void> {
  const ready = () => server.logs().split('"worker ready"').length - 1 >= count;
  await waitFor('the workers are ready', ready, STARTED_WITHIN_MS);
}
