/**
 * `node test/bench/large.ts [entries]`: what connecting, joining and opening cost where much is there: somebody in 500 rooms,
 * a room of 5,000 members, and a room of a million entries, on SQLite. Prints medians of the time in ms and the server's CPU
 * in ms for each. To compare two versions, run it in a checkout of each.
 */
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { createLogger } from '../../server/base/logger.ts';
import type { NewEntry, Store } from '../../server/store/port.ts';
import { openSqlite } from '../../server/store/sqlite/index.ts';
import { LOBBY } from '../../shared/mint.ts';
import { addRoom, appendThrough } from '../budgets/fillServer.ts';
import { historyOf, joinOf } from '../budgets/history.ts';
import { startServer } from '../support/serverProcess.ts';
import { type Member, membersFor, seed } from './stand/seed.ts';
import { cpuOf } from './stand/usage.ts';

const ENTRIES = Number(process.argv[2] ?? 1_000_000);
const ROOMS = 500;
const MEMBERS = 5_000;
const PEOPLE_OF_A_ROOM = 10;
const TIMES = 40;
/** As the app of today: an older server ignores those that it does not know. */
const FEATURES = ['entries2', 'replies', 'reactions', 'roles', 'direct', 'settings', 'mentions'];

await using server = await startServer();
await server.stop();
const everybody = membersFor(PEOPLE_OF_A_ROOM + TIMES + MEMBERS);
const known = everybody.slice(0, PEOPLE_OF_A_ROOM);
const newcomers = everybody.slice(PEOPLE_OF_A_ROOM, PEOPLE_OF_A_ROOM + TIMES);
const crowd = everybody.slice(PEOPLE_OF_A_ROOM + TIMES);
const busy = known[0]!;
const rooms = await fill();
await server.start();

await measure('somebody in 500 rooms connects', TIMES, async () => {
  (await connect(busy)).close();
});
const sockets = await Promise.all(newcomers.map(connect));
for (const { name, room, head } of rooms) {
  let joining = 0;
  await measure(`somebody joins ${name}`, TIMES, async () => {
    const as = newcomers[joining]!;
    await ask(sockets[joining++]!, 'room:join', { as: as.id, room, clientOffset: as.id });
  });
  let opening = 0;
  await measure(`somebody opens ${name}`, TIMES, async () => {
    const socket = sockets[opening++]!;
    await ask(socket, 'range', { room, from: head - 49, to: head });
  });
}
await measure('somebody who has joined both connects', TIMES, async (i) => {
  (await connect(newcomers[i]!)).close();
});
for (const socket of sockets) socket.close();

async function fill() {
  const store: Store = await openSqlite({
    file: join(server.data, 'holdfast.db'),
    log: createLogger('warn'),
  });
  try {
    await seed(store, everybody);
    const ids = known.map(({ id }) => id);
    for (let n = 0; n < ROOMS - 2; n++) await addRoom(store, `Room ${n + 1}`, ids);
    const long = await addRoom(store, 'Long', ids);
    await inParts(ENTRIES, (count) => appendThrough(store, historyOf(long, ids, count)));
    const large = await addRoom(store, 'Large', ids);
    const joins: NewEntry[] = crowd.map(({ id }) => joinOf(large, id));
    await appendThrough(store, joins);
    const heads = await store.log.heads([long, large]);
    const described = [
      { name: `a room of ${heads.get(long)} entries`, room: long, head: heads.get(long)! },
      { name: `a room of ${MEMBERS} members`, room: large, head: heads.get(large)! },
    ];
    for (const { room, head } of described) await store.rooms.mark([{ room, user: busy.id, upTo: head }]);
    return described;
  } finally {
    await store.close();
  }
}

async function inParts(count: number, work: (count: number) => Promise<void>): Promise<void> {
  // each part has another count, since the keys of a history come from it
  for (let done = 0, part = 20_000; done < count; done += part++) await work(part);
}

async function connect({ id, token }: Member): Promise<Socket> {
  const socket = io(server.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { protocol: 1, features: FEATURES, as: id, token, opened: LOBBY },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('welcome', () => resolve());
    socket.once('connect_error', reject);
  });
  return socket;
}

async function ask(socket: Socket, event: string, payload: object): Promise<void> {
  const answer = await socket.timeout(60_000).emitWithAck(event, payload);
  if (answer?.ok === false) throw new Error(`${event}: ${JSON.stringify(answer)}`);
}

async function measure(what: string, times: number, work: (i: number) => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = cpuOf(server.pid());
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await work(i);
    took.push(performance.now() - began);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  const cpu = (cpuOf(server.pid()) - before) / times;
  const median = took.sort((a, b) => a - b)[times >> 1]!;
  console.log(`${what}: ${median.toFixed(1)} ms, CPU ${cpu.toFixed(1)} ms`);
}
