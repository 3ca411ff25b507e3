/**
 * `node test/bench/presence.ts [rounds]`: what presence costs where 2,000 people connect within ten seconds to a room of 2,000:
 * the CPU of the server on SQLite from the first connection until all are in and their presence is known to it, with and
 * without signs of presence.
 */
import { PRESENCE_EVERY_MS } from '../../server/base/serverLimits.ts';
import { HERE_EVERY_MS } from '../../shared/limits.ts';
import { type Client, enter } from './load/client.ts';
import { openDatabase } from './stand/database.ts';
import { openStand, type Stand } from './stand/stand.ts';
import { cpuOf } from './stand/usage.ts';

const PEOPLE = 2_000;
const CONNECT_MS = 10_000;
/** Clients that come and go first, so that the code is compiled. */
const WARM_UP = 500;

const used = { without: [] as number[], present: [] as number[] };
for (let round = Number(process.argv[2] ?? 3); round > 0; round--) {
  used.without.push(await measure(false));
  used.present.push(await measure(true));
}
// what else the machine does can only add to it
const [without, present] = [Math.min(...used.without), Math.min(...used.present)];
console.log(`CPU in ms without presence ${used.without}, with presence ${used.present}`);
console.log(`the least of each: ${(present / without).toFixed(2)} times`);

async function measure(saysHere: boolean): Promise<number> {
  await using database = await openDatabase('sqlite');
  await using stand = await openStand(database, {
    contender: 'holdfast',
    setting: 'sqlite',
    members: PEOPLE + WARM_UP,
  });
  for (const client of await come(stand, PEOPLE, WARM_UP, 2_000, saysHere)) client[Symbol.dispose]();
  await after(3_000);
  const before = cpuOf(stand.servers[0]!);
  const clients = await come(stand, 0, PEOPLE, CONNECT_MS, saysHere);
  await after(2 * PRESENCE_EVERY_MS);
  const cpu = cpuOf(stand.servers[0]!) - before;
  for (const client of clients) client[Symbol.dispose]();
  return cpu;
}

/** Evenly within `ms`, however busy the machine is. */
function come(stand: Stand, from: number, count: number, ms: number, saysHere: boolean) {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await after((i * ms) / count);
      const client = await enter(stand.urls[0]!, stand.members[from + i]!, stand.dialect, () => {});
      return saysHere ? keepSaying(client) : { [Symbol.dispose]: () => client.close() };
    }),
  );
}

/** As the app does. */
function keepSaying(client: Client): Disposable {
  const say = () => client.tell('here', { here: true });
  say();
  const timer = setInterval(say, HERE_EVERY_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      client.close();
    },
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
