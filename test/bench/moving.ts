/**
 * `node test/bench/moving.ts [entries]`: how long `npm run migrate` takes, and how long nothing can be written. Half of the entries
 * are in one room, the others in rooms of 500; 200 people are members of each. A server runs on the file meanwhile, and somebody
 * writes a message every 100 ms. BENCH_MONGOD is the path of a `mongod` or a `secantusd-rs`; the default is the database of the tests.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../server/base/logger.ts';
import { openSqlite } from '../../server/store/sqlite/index.ts';
import { LOBBY } from '../../shared/mint.ts';
import { appendThrough } from '../budgets/fillServer.ts';
import { historyOf, joinOf } from '../budgets/history.ts';
import { connectClient, newId, signUp, text } from '../support/api.ts';
import { startServer } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { run } from '../support/tools.ts';
import { openDatabase } from './stand/database.ts';
import { membersFor, seed } from './stand/seed.ts';

const entries = Number(process.argv[2] ?? 100_000);
const ENTRIES_PER_ROOM = 500;
const PEOPLE = 200;

await using folder = await temporaryFolder();
const file = join(folder.path, 'holdfast.db');
await fill();
console.log(`${entries} entries, ${Math.round(statSync(file).size / 1024 / 1024)} MB`);
await using mongo = await openDatabase('mongo1');
await using server = await startServer({ data: folder.path });
using client = await connectClient(server.url, await signUp(server.url, 'Somebody'));
let isOver = false;
let longestMs = 0;
const writing = (async () => {
  for (let last = performance.now(); !isOver; await sleep(100)) {
    const answer = await Promise.race([client.append(text('hello')), sleep(1_000)]).catch(() => undefined);
    const isAcknowledged = JSON.stringify(answer ?? '').includes('serverOffset');
    longestMs = Math.max(longestMs, performance.now() - last);
    if (isAcknowledged) last = performance.now();
  }
})();
const start = performance.now();
const { code, output } = await run(process.execPath, ['server/migrate/main.ts'], {
  env: { DATA: folder.path, ...mongo.env },
});
const seconds = (performance.now() - start) / 1_000;
isOver = true;
await writing;
console.log(output);
console.log(
  `exit code ${code}; ${seconds.toFixed(1)} s, ${Math.round(entries / seconds)} entries a second in all; ` +
    `longest time between two acknowledgements ${Math.round(longestMs)} ms`,
);

async function fill(): Promise<void> {
  const store = await openSqlite({ file, log: createLogger('warn') });
  const members = membersFor(PEOPLE);
  await seed(store, members);
  const people = members.map(({ id }) => id);
  await appendThrough(store, historyOf(LOBBY, people, entries / 2));
  for (let left = entries / 2; left > 0; left -= ENTRIES_PER_ROOM) {
    const id = newId();
    await store.rooms.create({
      id,
      kind: 'public',
      name: `Room ${left}`,
      createdBy: people[0]!,
      createdAt: Date.now(),
    });
    const joins = people.map((person) => joinOf(id, person));
    await appendThrough(store, [...joins, ...historyOf(id, people, ENTRIES_PER_ROOM - PEOPLE)]);
    await store.rooms.mark(people.map((user) => ({ room: id, user, upTo: PEOPLE })));
  }
  await store.close();
}
