/** Several servers on one database, and many users in a few rooms, under random faults. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../../../../shared/entry.ts';
import { wholeLog } from '../../../support/api.ts';
import { startMongo } from '../../../support/mongo/index.ts';
import { startProxy } from '../../../support/proxy.ts';
import { seeded } from '../../../support/random.ts';
import { startReverseProxy } from '../../../support/reverseProxies.ts';
import { type ServerProcess, startServer } from '../../../support/serverProcess.ts';
import { waitFor } from '../../../support/waitFor.ts';
import { databaseBadDays, serverBadDays, startAgain, wrongClock } from '../badDays.ts';
import { commandFaults, databaseFaults, type Fault, LONG_MS, networkFaults } from '../faults.ts';
import { blankProblems, futureProblems, orderProblems, timeProblems } from '../order.ts';
import { createRecord, type Log, type LogRecord } from '../record.ts';
import { storm } from '../storm.ts';
import { type ChatClient, startChatClient } from './client.ts';
import { gather, type Person } from './people.ts';

export interface Evening {
  seed: number;
  servers: number;
  people: number;
  rooms: number;
  stormMs: number;
  /**
   * The servers stand behind HAProxy, the clock of one is an hour ahead, and the faults are bad days of an operator, of this
   * length, with one of the others. All of them strike at least once.
   */
  badDayMs?: number;
}

export interface EveningReport {
  /** The number of times for each fault. */
  faults: Map<string, number>;
  entries: number;
  acknowledged: number;
  /** The number of `welcome` frames of all clients. */
  welcomes: number;
  /** The violations, as sentences that begin with the promise. */
  violations: readonly string[];
  /** The output of the servers, for finding the cause. */
  logs: string;
}

const SETTLED_WITHIN_MS = 60_000;
const HOUR_MS = 3_600_000;

/** The cookie of the proxy keeps a session of long polling at its server. Certificates of tests are not verified. */
const behind = (transport: 'polling' | 'websocket') => ({
  transports: [transport],
  withCredentials: true,
  rejectUnauthorized: false,
});

export async function spend(evening: Evening): Promise<EveningReport> {
  const random = seeded(evening.seed);
  const fork = () => seeded(random.int(0, 2 ** 31));
  const record = createRecord();
  await using mongo = await startMongo({ toBreak: true });
  await using proxy = await startProxy(mongo.port);
  await using started = new AsyncDisposableStack();
  const servers: ServerProcess[] = [];
  const { badDayMs } = evening;
  for (let n = 0; n < evening.servers; n++) {
    const env = { MONGODB_URL: mongo.urlThrough(proxy.port), LOG_LEVEL: 'warn' };
    const behindProxy = badDayMs !== undefined && { TRUST_PROXY: '1' };
    const clock = badDayMs !== undefined && n === 1 && wrongClock(HOUR_MS);
    servers.push(started.use(await startServer({ env: { ...env, ...behindProxy, ...clock } })));
  }

  const urls = servers.map(({ url }) => url);
  const people = await gather({ url: urls[0]!, people: evening.people, rooms: evening.rooms, random });
  const front =
    badDayMs !== undefined &&
    started.use(
      await startReverseProxy('haproxy', 'cookie', servers.map(({ port }) => port) as [number, number]),
    );
  const clients = people.map((person, nth) =>
    startChatClient({
      ...person,
      urls: front ? [front.url] : urls,
      random: fork(),
      record,
      ...(front && { options: behind(nth % 3 === 0 ? 'polling' : 'websocket') }),
    }),
  );
  started.defer(async () => void (await Promise.all(clients.map((client) => client.stop()))));

  const acknowledged = () => sum(clients, ({ outbox }) => outbox.acknowledged());
  const ofDatabase = [...networkFaults(proxy), ...commandFaults(mongo), ...databaseFaults(mongo)];
  const lanes =
    badDayMs === undefined
      ? [ofDatabase, servers.flatMap(serverFaults)]
      : [
          [...databaseBadDays(mongo, proxy, badDayMs), ...random.shuffle(ofDatabase).slice(0, 1)],
          // each to another server, in an order of the seed
          serverBadDays(servers[0]!, badDayMs).map(
            (_, nth) => serverBadDays(servers[(nth + evening.seed) % servers.length]!, badDayMs)[nth]!,
          ),
        ];
  const faults = await storm({
    lanes,
    random,
    ms: evening.stormMs,
    progress: acknowledged,
    eachAtLeastOnce: badDayMs !== undefined,
    ...(badDayMs !== undefined && { othersLastMs: badDayMs }),
  });

  await mongo.clearFailPoints();
  for (const { outbox } of clients) outbox.sayNoMore();
  const isSent = () => clients.every(({ outbox }) => outbox.waiting() === 0);
  await waitFor('everything is acknowledged', isSent, SETTLED_WITHIN_MS);
  const logs = await logsEverywhere(urls, people, record);
  await untilHeld(clients, people, logs, record);
  const said = clients.flatMap(({ outbox }) => outbox.said());
  return {
    faults,
    entries: sum(logs, ({ entries }) => entries.length),
    acknowledged: acknowledged(),
    welcomes: sum(clients, (client) => client.welcomes()),
    violations: [
      ...record.compare(logs),
      ...orderProblems(said, logs),
      ...logs.flatMap(blankProblems),
      ...logs.flatMap(timeProblems),
      ...logs.flatMap(futureProblems),
    ],
    logs: servers.map((server) => server.logs().slice(-20_000)).join('\n\n'),
  };
}

/** Reads the logs of all rooms from all servers; a difference between servers is a violation. */
async function logsEverywhere(
  urls: readonly string[],
  people: readonly Person[],
  record: LogRecord,
): Promise<Log[]> {
  const rooms = [...new Set(people.flatMap((person) => person.rooms))];
  return Promise.all(
    rooms.map(async (room) => {
      const { session } = people.find((person) => person.rooms.includes(room))!;
      const read = () => Promise.all(urls.map((url) => wholeLog(url, session, room)));
      // A deleted entry is redacted a little later, by a process that tails it.
      const isSettled = (logs: Entry[][]) =>
        logs.every((entries) => blankProblems({ room, entries }).length === 0);
      await waitFor(`${room} is settled`, async () => isSettled(await read())).catch(() => {});
      const [first, ...others] = await read();
      for (const other of others)
        if (JSON.stringify(other) !== JSON.stringify(first))
          record.violate(`L1 two servers, two logs of ${room}`);
      return { room, entries: first! };
    }),
  );
}

/** S2: every client has all entries of all its rooms; their contents were compared on arrival. */
async function untilHeld(
  clients: readonly ChatClient[],
  people: readonly Person[],
  logs: readonly Log[],
  record: LogRecord,
): Promise<void> {
  const behind = () =>
    clients.flatMap((client, n) =>
      logs
        .filter(
          ({ room, entries }) => people[n]!.rooms.includes(room) && client.holds(room) !== entries.length,
        )
        .map(
          ({ room, entries }) =>
            `${client.session.user.name} holds ${client.holds(room)} of ${entries.length} of ${room}`,
        ),
    );
  await waitFor('every client has all entries', () => behind().length === 0, SETTLED_WITHIN_MS).catch(() => {
    for (const sentence of behind()) record.violate(`S2 ${sentence}`);
  });
}

function serverFaults(server: ServerProcess): Fault[] {
  return [
    {
      name: 'server killed by -9',
      strike: async () => {
        await server.kill9();
        await startAgain(server);
      },
    },
    {
      name: 'server stopped',
      strike: async (random) => {
        await server.pause();
        await sleep(random.int(300, LONG_MS));
        server.resume();
      },
    },
  ];
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
