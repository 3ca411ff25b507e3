/** Who is here, as the page says and keeps it: with a fake clock, page and server. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HERE_EVERY_MS, PRESENCE_MAX_MEMBERS } from '../../../shared/limits.ts';
import type { Acknowledgement, Down, PersonPresence } from '../../../shared/protocol/index.ts';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { createPresenceWatch } from '../../../web/engine/presenceWatch.ts';
import type { BrowserEvent } from '../../../web/transport/browser.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { emptyDatabase, holdOf } from '../log/storedLog.ts';
import { me, text } from '../log/syncBench.ts';
import { ROOM } from '../outbox/support.ts';

const LIN = 'l'.repeat(22);
const OSEI = 'o'.repeat(22);
const here = { here: true } as const;

let db: UserDatabase;
let clock: FakeClock;
let isVisible: boolean;
let tellPage: (event: BrowserEvent) => void;
let said: boolean[];
let asked: object[];
let people: Record<string, PersonPresence>;
let answer: () => Acknowledgement<'presence'> | undefined;
let changes: number;
let watch: ReturnType<typeof createPresenceWatch>;

beforeEach(async () => {
  db = emptyDatabase(me);
  clock = createFakeClock();
  isVisible = true;
  said = [];
  asked = [];
  changes = 0;
  people = { [me]: here, [LIN]: here, [OSEI]: { seenAt: 5 } };
  answer = () => ({ ok: true, epoch: 'e', people, users: { [LIN]: { name: 'Lin', rev: 0 } } });
  await holdOf(db, [text(1)], [{ from: 1, to: 1, amendedTo: 1 }]);
  await hasMembers(3);
  watch = createPresenceWatch({
    db,
    clock,
    page: {
      get visible() {
        return isVisible;
      },
      listen(listener) {
        tellPage = listener;
        return () => {};
      },
    },
    opened: () => ROOM,
    connection: () => ({
      say: (_, { here }: { here: boolean }) => void said.push(here),
      ask: async (_: string, payload: object) => {
        asked.push(payload);
        return answer() as never;
      },
    }),
    changed: () => changes++,
  });
});
afterEach(() => {
  watch.close();
  db.close();
});

const hasMembers = (members: number) =>
  db.write(['rooms'], async (tx) => {
    const rooms = tx.objectStore('rooms');
    await rooms.put({ ...(await rooms.get(ROOM))!, members });
  });
const moved = (change: Record<string, PersonPresence>, room: string = ROOM): Down => ({
  event: 'presence',
  payload: { room, people: change },
});
async function live() {
  watch.live();
  await until('it is known', () => watch.of(ROOM) !== undefined);
}

test('a page that is looked at says so, again and again, and a hidden one says at once that it is not', async () => {
  await live();
  expect(said).toEqual([true]);
  clock.pass(HERE_EVERY_MS);
  expect(said).toEqual([true, true]);
  isVisible = false;
  tellPage('hidden');
  clock.pass(5 * HERE_EVERY_MS);
  expect(said).toEqual([true, true, false]);
  isVisible = true;
  tellPage('visible');
  expect(said).toEqual([true, true, false, true]);
  watch.down();
  clock.pass(5 * HERE_EVERY_MS);
  tellPage('hidden');
  expect(said).toHaveLength(4);
});

test('a page that connects while it is hidden does not say that it is here', async () => {
  isVisible = false;
  await live();
  clock.pass(5 * HERE_EVERY_MS);
  expect(said).toEqual([]);
});

test('who is here is asked for once, then frames say who comes and goes; without a connection nothing is known', async () => {
  await live();
  expect(watch.of(ROOM)).toEqual(people);
  watch.received(moved({ [LIN]: { seenAt: 9 }, [OSEI]: here }));
  expect(watch.of(ROOM)).toEqual({ [me]: here, [LIN]: { seenAt: 9 }, [OSEI]: here });
  watch.received(moved({ [OSEI]: {} }, 'another'));
  expect(watch.of(ROOM)![OSEI]).toEqual(here);
  expect(asked).toEqual([{ room: ROOM }]);
  expect(watch.of('another')).toBeUndefined();
  const before = changes;
  watch.down();
  expect(watch.of(ROOM)).toBeUndefined();
  expect(changes).toBe(before + 1);
});

test('in a room above the bound nobody is asked for; a page of its members is, when the person wants it', async () => {
  await hasMembers(PRESENCE_MAX_MEMBERS + 1);
  watch.live();
  await turns(20);
  expect(asked).toEqual([]);
  answer = () => ({ ok: true, epoch: 'e', people, users: { [LIN]: { name: 'Lin', rev: 0 } }, next: OSEI });
  expect(await watch.members(ROOM, LIN)).toMatchObject({ ok: true, next: OSEI, hidden: false });
  expect(asked).toEqual([{ room: ROOM, after: LIN }]);
});

test('whoever hides sees nobody; when the setting changes on another device it is asked again', async () => {
  await live();
  const shown = answer;
  answer = () => ({ ok: true, epoch: 'e', people: {}, users: {}, hidden: true });
  watch.received({ event: 'presence', payload: { again: true } });
  await until('nothing is shown', () => watch.of(ROOM) === undefined);
  answer = shown;
  watch.received({ event: 'presence', payload: { again: true } });
  await until('it is known', () => watch.of(ROOM) !== undefined);
  expect(asked).toHaveLength(3);
});

test('after somebody has joined it is asked again, once for all who join', async () => {
  await live();
  const joined: Down = {
    event: 'entries',
    payload: {
      room: ROOM,
      entries: [{ serverOffset: 4, author: LIN, clientOffset: 'c'.repeat(22), at: 1, kind: 'join' }],
      users: {},
    },
  };
  for (let n = 0; n < 3; n++) watch.received(joined);
  clock.pass(1_000);
  await until('it is asked again', () => asked.length === 2);
  clock.pass(5_000);
  await turns(20);
  expect(asked).toHaveLength(2);
});

test('a request that was not answered is made again with the next sign; one that an older server refuses is not', async () => {
  const later = answer;
  answer = () => undefined;
  watch.live();
  await until('it is asked', () => asked.length === 1);
  await turns(5);
  answer = () => ({ ok: false, error: { code: 'invalid', message: 'This request does not exist.' } });
  clock.pass(HERE_EVERY_MS);
  await until('it is asked again', () => asked.length === 2);
  await turns(5);
  answer = later;
  clock.pass(3 * HERE_EVERY_MS);
  await turns(20);
  expect(asked).toHaveLength(2);
});
