/** What everybody costs the database who comes back at the same moment, as after a restart: `npm run bench` measures the rest. */
import { expect, test } from 'vitest';
import type { Store } from '../../../server/store/port.ts';
import { enter } from '../../bench/load/client.ts';
import { openDelayedMongo } from '../../bench/stand/mongo.ts';
import type { Member } from '../../bench/stand/seed.ts';
import { openStand } from '../../bench/stand/stand.ts';
import { appendNew, join, newRoom, text, upTo } from '../../contract/support.ts';

const PEOPLE = 50;
/** Where each asks alone it is 28; together, less than one and a half on a database that is busy. */
const READS_OF_EACH = 2;
/** Each way: so the database is busy, however slowly the machine lets people in; as soon as it answers, who comes next asks alone. */
const BUSY_MS = 50;

test('50 people who come back at once to two rooms with unread messages cost the database at most two reads each', {
  timeout: 60_000,
}, async () => {
  await using database = await openDelayedMongo();
  await using stand = await openStand(database, {
    contender: 'holdfast',
    setting: 'mongo1',
    members: PEOPLE,
    async fill(store, members) {
      for (const _ of upTo(2)) await talk(store, members);
      return undefined;
    },
  });
  const reads = async () => {
    const { find = 0, aggregate = 0, getMore = 0 } = await database.operations();
    return find + aggregate + getMore;
  };
  database.delay(BUSY_MS);
  const before = await reads();
  const clients = await Promise.all(
    stand.members.map((member) => enter(stand.urls[0]!, member, stand.dialect, () => {})),
  );
  const cost = (await reads()) - before;
  database.delay(0);
  expect(cost).toBeLessThanOrEqual(READS_OF_EACH * PEOPLE);
  for (const client of clients) client.close();
});

async function talk(store: Store, members: readonly Member[]) {
  const room = await newRoom(store);
  const texts = members.slice(0, 10).map(({ id }) => text(room, id, 'hello'));
  await appendNew(store, [...members.map(({ id }) => join(room, id)), ...texts]);
}
