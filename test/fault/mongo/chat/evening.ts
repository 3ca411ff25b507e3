/** Several servers on one database, and many users in a few rooms, under random faults. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../../../../shared/entry.ts';
import { wholeLog } from '../../../support/api.ts';
import { startMongo } from '../../../support/mongo/index.ts';
import { startProxy } from '../../../support/proxy.ts';
import { seeded } from '../../../support/random.ts';
import { type ServerProcess, startServer } from '../../../support/serverProcess.ts';
import { waitFor } from '../../../support/waitFor.ts';
import { commandFaults, databaseFaults, type Fault, LONG_MS, networkFaults } from '../faults.ts';
import { blankProblems, orderProblems } from '../order.ts';
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
const START_WITHIN_MS = 60_000;

export async function spend(evening: Evening): Promise<EveningReport> {
  const random = seeded(evening.seed);
  const fork = () => seeded(random.int(0, 2 ** 31));
  const record = createRecord();
  await using mongo = await startMongo({ toBreak: true });
  await using proxy = await startProxy(mongo.port);
  await using started = new AsyncDisposableStack();
  const servers: ServerProcess[] = [];
  for (let n = 0; n < evening.servers; n++) {
    const env = { MONGODB_URL: mongo.urlThrough(proxy.port), LOG_LEVEL: 'warn' };
    servers.push(started.use(await startServer({ env })));
  }

  const urls = servers.map(({ url }) => url);
  const people = await gather({ url: urls[0]!, people: evening.people, rooms: evening.rooms, random });
  const clients = people.map((person) => startChatClient({ ...person, urls, random: fork(), record }));
  started.defer(async () => void (await Promise.all(clients.map((client) => client.stop()))));

  const acknowledged = () => sum(clients, ({ outbox }) => outbox.acknowledged());
  const faults = await storm({
    lanes: [
      [...networkFaults(proxy), ...commandFaults(mongo), ...databaseFaults(mongo)],
      servers.flatMap(serverFaults),
    ],
    random,
    ms: evening.stormMs,
    progress: acknowledged,
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
    violations: [...record.compare(logs), ...orderProblems(said, logs), ...logs.flatMap(blankProblems)],
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
        // A server whose database is unavailable at the start exits; start it again, as a supervisor does.
        const isUp = () =>
          server.start().then(
            () => true,
            () => false,
          );
        await waitFor('the server is up again', isUp, START_WITHIN_MS);
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
