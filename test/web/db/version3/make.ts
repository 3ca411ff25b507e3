/**
 * Creates records.json: the records that the app of commit 9a947d7 (version 3 of the database) stores for these events. Run with
 * a checkout of that commit with its packages installed: `node test/web/db/version3/make.ts CHECKOUT > test/web/db/version3/records.json`.
 */
import 'fake-indexeddb/auto';
import type { Entry } from '../../../../shared/entry.ts';
import { dumpOf } from './dump.ts';

const [checkout] = process.argv.slice(2);
if (checkout === undefined) throw new Error('which checkout of 9a947d7?');
const { openUserDatabase } = await import(`${checkout}/web/db/schema.ts`);
const { take } = await import(`${checkout}/web/log/take.ts`);
const { storeWelcome } = await import(`${checkout}/web/log/rooms.ts`);
const { enqueue } = await import(`${checkout}/web/outbox/enqueue.ts`);
const { storeVerdicts } = await import(`${checkout}/web/outbox/store.ts`);
const { mark } = await import(`${checkout}/web/outbox/mark.ts`);
const id = (name: string) => name.padEnd(22, '0');
const [me, lin] = [id('me'), id('lin')];
const WARD = id('ward');
const clock = { now: () => 1, ticks: () => 1, setTimeout: () => 0, clearTimeout: () => {} };
const db = openUserDatabase(indexedDB, clock, me);

function entry(serverOffset: number, more: Record<string, unknown> = {}): Entry {
  const placed = {
    serverOffset,
    author: lin,
    clientOffset: id(`e${serverOffset}`),
    at: 1_000 + serverOffset,
  };
  return { ...placed, kind: 'text', body: `text ${serverOffset}`, ...more } as Entry;
}
const edit = (at: number, target: number, author = lin) =>
  entry(at, { kind: 'edit', target, author, body: `text ${target}, edited at ${at}` });
const deletion = (at: number, target: number) => entry(at, { kind: 'delete', target, body: undefined });
const run = (from: number, to: number, other: readonly Entry[] = []) =>
  Array.from(
    { length: to - from + 1 },
    (_, i) => other.find(({ serverOffset }) => serverOffset === from + i) ?? entry(from + i),
  );
const taken = (room: string, entries: readonly Entry[], more: object = {}) =>
  take(
    db,
    me,
    { room, entries, amendments: [], amendedTo: entries.at(-1)!.serverOffset, opens: true, ...more },
    {},
  );
const queued = (name: string, content: object, room = 'lobby') =>
  enqueue(db, { room, clientOffset: id(name), at: 5, ...content });

const room = (of: string, head: number) =>
  ({ id: of, kind: 'public', name: of, head, from: head + 1, readUpTo: 3, members: 2 }) as const;
const user = { id: me, name: 'Mika' };
const rooms = [room('lobby', 400), room(WARD, 30)];
await storeWelcome(db, { protocol: 1, epoch: 'epoch-one', now: 1, user, rooms });
// a hole between two spans; the amendments of the older one are known beyond its end
const beyond = { amendments: [edit(320, 120), deletion(321, 121)], amendedTo: 350 };
await taken('lobby', run(1, 130, [edit(40, 30), deletion(41, 31), entry(50, { kind: 'join' })]), beyond);
await taken('lobby', run(341, 400, [edit(390, 350), entry(395, { kind: 'poll', question: 'when?' })]));
await taken(WARD, run(1, 30, [entry(7, { author: me })]));
// acknowledged in the hole and after the end; amended in the hole
for (const name of ['mine1', 'mine2']) await queued(name, { kind: 'text', body: name });
await queued('mine3', { kind: 'edit', target: id('mine1'), body: 'mine1, edited' });
const acknowledged = ([name, serverOffset]: [string, number]) => ({
  clientOffset: id(name),
  type: 'acknowledged',
  serverOffset,
  at: 9,
});
await storeVerdicts(
  db,
  me,
  (
    [
      ['mine1', 200],
      ['mine3', 201],
      ['mine2', 405],
    ] as [string, number][]
  ).map(acknowledged),
  () => id('new'),
);
// one sent and not answered, one refused, one with a queued edit
await queued('sent', { kind: 'text', body: 'sent, perhaps' });
await queued('bad', { kind: 'text', body: 'refused' });
await mark(db, { limits: { items: 2, bytes: 10_000 }, holder: id('tab'), fence: 'claim', sweep: true });
const refused = { type: 'refused', error: { code: 'forbidden', message: 'no' } };
await storeVerdicts(db, me, [{ clientOffset: id('bad'), ...refused }], () => id('new'));
await queued('waits', { kind: 'text', body: 'waits' }, WARD);
await queued('change', { kind: 'edit', target: id('waits'), body: 'waits, edited' }, WARD);
await db.write(['drafts', 'marks', 'users'], async (tx: never) => {
  const store = (name: string) => (tx as IDBTransaction).objectStore(name);
  store('drafts').put({ room: 'lobby', text: 'about tomo' });
  store('marks').put({ room: 'lobby', upTo: 60, told: false });
  store('users').put({ id: lin, name: '林' });
});
console.log(JSON.stringify(await dumpOf(indexedDB, `holdfast:${me}`), null, 1));
db.close();
