/** Rows of a room that is made on the device: the row that makes it, and those behind it. */
import 'fake-indexeddb/auto';
import { beforeEach, expect, test } from 'vitest';
import type { Room } from '../../../shared/protocol/index.ts';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { removeRoom, storeRoom, storeWelcome } from '../../../web/log/store/applyFrames.ts';
import { amend, discard, retry } from '../../../web/outbox/amendText.ts';
import { nextBatch } from '../../../web/outbox/appendBatch.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { markBatch } from '../../../web/outbox/markBatch.ts';
import { newRow, type Row } from '../../../web/records/row.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { userOf, welcomeOf } from '../welcome.ts';
import { key, ROOM, text, WHOLE_BATCH } from './support.ts';

const MADE = mint();
const me = mint();
const FEATURES = { features: new Set(['create']), rooms: new Set<string>() };
let db: UserDatabase;

function creation(n: number, room = MADE, name = 'Deck'): Row {
  const fields = { roomKind: 'public', name };
  return { ...newRow({ kind: 'create', room, clientOffset: key(n), at: n, fields }), seq: n } as Row;
}

const described = (id: string): Room => ({
  id,
  kind: 'public',
  name: 'Deck',
  head: 1,
  from: 1,
  readUpTo: 1,
  members: 1,
});

const inRoom = (n: number, room = MADE): Row => ({ ...text(n), room });
const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
const statesOf = async () => (await rows()).map(({ state }) => state.tag);
const roomRecord = () => db.read(['rooms'], (tx) => tx.objectStore('rooms').get(MADE));

beforeEach(async () => {
  db = openUserDatabase(indexedDB, createFakeClock(), mint());
  await db.write(['rows', 'rooms', 'drafts', 'meta'], async (tx) => {
    await tx.objectStore('meta').put('["create"]', 'features');
    await tx
      .objectStore('rooms')
      .put({ id: MADE, kind: 'public', name: 'Deck', head: 0, readUpTo: 0, members: 1, making: true });
    await tx.objectStore('drafts').put({ room: MADE, text: 'half a sentence' });
    for (const row of [creation(1), inRoom(2), inRoom(4)]) await tx.objectStore('rows').put(row);
  });
});

const mark = async () => {
  const marked = await markBatch(db, {
    limits: WHOLE_BATCH,
    without: new Set(),
    fenceToken: 'me',
    fenceCheck: 'none',
    sweep: false,
    mayMark: () => true,
  });
  return marked === 'not-marked' ? marked : marked.items.map(({ clientOffset }) => clientOffset);
};

const refuse = (n: number) =>
  applyVerdicts(
    db,
    me,
    [{ clientOffset: key(n), type: 'refused', error: { code: 'forbidden', message: 'no' } }],
    mint,
  );

/** The room is refused, and what is behind it parked. */
async function refused(): Promise<void> {
  expect(await mark()).toEqual([key(1)]);
  await refuse(1);
  expect(await mark()).toEqual([]);
}

test('L5 what is written in a room is sent once the row that makes the room is acknowledged', () => {
  const all = [creation(1), inRoom(2), text(3), inRoom(4)];
  expect(nextBatch(all, WHOLE_BATCH, FEATURES).map(({ seq }) => seq)).toEqual([1, 3]);
  expect(nextBatch(all.slice(1), WHOLE_BATCH, FEATURES).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  const lacking = { features: new Set<string>(), rooms: new Set<string>() };
  expect(nextBatch(all, WHOLE_BATCH, lacking).map(({ seq }) => seq)).toEqual([3]);
});

test('O3 where a room is refused, what is behind it parks, also what is written later; other rooms go on', async () => {
  await refused();
  await db.write(['rows'], async (tx) => {
    for (const row of [inRoom(5), text(6)]) await tx.objectStore('rows').put(row);
  });
  expect(await mark()).toEqual([key(6)]);
  expect(await statesOf()).toEqual(['parked', 'parked', 'parked', 'parked', 'sending']);
  const reasons = (await rows()).map(({ state }) => state.tag === 'parked' && state.reason.code);
  expect(reasons).toEqual(['forbidden', 'room-not-made', 'room-not-made', 'room-not-made', false]);
});

test.each([1, 2, 4])('O4 a retry of any row of a room that was not made retries all (%i)', async (n) => {
  await refused();
  expect(await retry(db, key(n))).toMatchObject({ room: MADE });
  expect(await statesOf()).toEqual(['queued', 'queued', 'queued']);
  expect(await mark()).toEqual([key(1)]);
});

test('O4 a room is tried again under another name, with a new key; a name that is none parks at once', async () => {
  await refused();
  expect(await amend(db, key(1), ' ', key('new'), 9)).toBeDefined();
  expect((await rows())[0]).toMatchObject({ state: { tag: 'parked', reason: { code: 'invalid' } } });
  const tried = (await rows())[0]!.clientOffset;
  expect(await amend(db, tried, ' Galley ', key('newer'), 9)).toBeDefined();
  expect(await statesOf()).toEqual(['queued', 'queued', 'queued']);
  const [first] = await rows();
  expect(first).toMatchObject({ seq: 1, room: MADE, clientOffset: key('new'), fields: { name: 'Galley' } });
  expect(await roomRecord()).toMatchObject({ name: 'Galley', making: true });
});

test('O4 a room that may have been made keeps its name', async () => {
  await mark();
  for (let n = 0; n < 5; n++)
    await applyVerdicts(
      db,
      me,
      [{ clientOffset: key(1), type: 'uncertain', error: { code: 'internal', message: '' } }],
      mint,
    );
  expect(await statesOf()).toEqual(['parked', 'queued', 'queued']);
  expect(await amend(db, key(1), 'Galley', key('new'), 9)).toBeUndefined();
  expect((await rows())[0]).toMatchObject({ clientOffset: key(1), fields: { name: 'Deck' } });
});

test('a room that is given up goes with all that was written in it, and nothing else', async () => {
  await refused();
  await db.write(['rows'], (tx) => tx.objectStore('rows').put(text(3)));
  await discard(db, key(1), key('new'), 9);
  expect((await rows()).map(({ seq }) => seq)).toEqual([3]);
  expect(await roomRecord()).toBeUndefined();
  expect(await db.read(['drafts'], (tx) => tx.objectStore('drafts').getAll())).toEqual([]);
});

test('a message behind a room that was not made is discarded alone', async () => {
  await refused();
  await discard(db, key(2), key('new'), 9);
  expect((await rows()).map(({ seq }) => seq)).toEqual([1, 4]);
  expect(await roomRecord()).toBeDefined();
});

test('O4 a welcome does not take away a room that is being made', async () => {
  await storeWelcome(db, welcomeOf(userOf(me, 'Mika'), [described(ROOM)]));
  expect(await roomRecord()).toMatchObject({ making: true });
  expect((await roomRecord())?.left).toBeUndefined();
});

test('a room that was made, and that the server does not have any more, is left', async () => {
  await mark();
  await applyVerdicts(db, me, [{ clientOffset: key(1), type: 'acknowledged', serverOffset: 1, at: 1 }], mint);
  await removeRoom(db, MADE);
  expect(await roomRecord()).toMatchObject({ left: true }); // texts wait in it
});

test('O2 a room that the server describes is made: what was parked with it is sent', async () => {
  await refused();
  await storeRoom(db, described(MADE));
  expect((await rows()).map(({ seq, state }) => [seq, state.tag])).toEqual([
    [2, 'queued'],
    [4, 'queued'],
  ]);
  expect((await roomRecord())?.making).toBeUndefined();
});
