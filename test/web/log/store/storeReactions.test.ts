import { expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import type { Reactions } from '../../../../shared/protocol/index.ts';
import { openUserDatabase, type UserDatabase } from '../../../../web/db/userDatabase.ts';
import { readReactions, shownReactions } from '../../../../web/log/read/readReactions.ts';
import { applyFrame } from '../../../../web/log/store/applyFrames.ts';
import { deleteStoredLogs } from '../../../../web/log/store/deleteLogs.ts';
import { applyVerdicts } from '../../../../web/outbox/applyVerdicts.ts';
import { react } from '../../../../web/outbox/react.ts';
import { messageKey } from '../../../../web/records/storedRecords.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { ROOM } from '../../outbox/support.ts';
import { mint } from '../../state/modelServer.ts';

import 'fake-indexeddb/auto';

const [me, lin, mika] = [mint(), mint(), mint()];
const message: Entry = {
  serverOffset: 5,
  author: lin,
  clientOffset: mint(),
  at: 5,
  kind: 'text',
  body: 'hello',
};
const on = (serverOffset: number, author: string, emoji: string, isOn = true): Entry =>
  ({
    serverOffset,
    author,
    clientOffset: mint(),
    at: 9,
    kind: 'reaction',
    target: 5,
    emoji,
    on: isOn,
  }) as Entry;
const counts = (asOf: number, all: Record<string, number>, mine?: string[]): Reactions => ({
  target: 5,
  asOf,
  counts: Object.entries(all).map(([emoji, count]) => ({ emoji, count, by: [mika] })),
  ...(mine && { mine }),
});

const open = () => openUserDatabase(new IDBFactory(), createFakeClock(), me);

async function apply(db: UserDatabase, entries: Entry[], reactions: Reactions[], opens = true) {
  const amendedTo = entries.at(-1)!.serverOffset;
  await applyFrame(db, me, { room: ROOM, entries, amendments: [], amendedTo, opens, reactions }, {});
}

async function shown(db: UserDatabase) {
  const found = await db.read(['reactions', 'detached', 'rows'], (tx) =>
    readReactions(tx, ROOM, me, [message]),
  );
  return found
    .get(messageKey(lin, message.clientOffset))!
    .map(
      ({ emoji, count, mine, waiting }) =>
        `${emoji}${count}${mine ? ' mine' : ''}${waiting ? ' waiting' : ''}`,
    );
}

const to = { key: messageKey(lin, message.clientOffset), author: { id: lin }, serverOffset: 5 };
const tap = (db: UserDatabase, emoji: string, isOn: boolean) =>
  react(db, { room: ROOM, to, key: mint(), at: 1 }, emoji, isOn);

test('S3 of two counts of a message the newer holds, whichever arrives first, also before the message itself', async () => {
  const db = open();
  await apply(db, [on(20, mika, '👍')], [counts(20, { '👍': 2 })]);
  await apply(db, [message], [counts(12, { '👍': 1 }, [])]);
  expect(await shown(db)).toEqual(['👍2']);
  await apply(db, [on(21, mika, '👍', false)], [counts(21, { '👍': 1 })]);
  expect(await shown(db)).toEqual(['👍1']);
});

test('own reactions are known by the own entries of live frames, and by what an answer says', async () => {
  const db = open();
  await apply(db, [message], []);
  await apply(db, [on(6, mika, '👍'), on(7, me, '👍'), on(8, me, '🎉')], [counts(8, { '👍': 2, '🎉': 1 })]);
  expect(await shown(db)).toEqual(['👍2 mine', '🎉1 mine']);
  await apply(db, [on(9, me, '🎉', false)], [counts(9, { '👍': 2 })]);
  expect(await shown(db)).toEqual(['👍2 mine']);
  await apply(db, [message], [counts(9, { '👍': 2 }, [])]); // as the server has it
  expect(await shown(db)).toEqual(['👍2']);
});

test('a repeated frame with older counts, or a message without any, changes nothing', async () => {
  const db = open();
  const first = on(6, mika, '👍');
  await apply(db, [message, first], [counts(6, { '👍': 1 })]);
  await apply(db, [on(7, lin, '👍')], [counts(7, { '👍': 2 })]);
  await apply(db, [message, first], [counts(6, { '👍': 1 })]);
  await apply(db, [message], []);
  expect(await shown(db)).toEqual(['👍2']);
});

test('O3 what waits lies over the counts; acknowledged it stays there until the counts have it', async () => {
  const db = open();
  await apply(db, [message, on(6, mika, '👍')], [counts(6, { '👍': 1 })]);
  await tap(db, '👍', true);
  await tap(db, '🎉', true);
  expect(await shown(db)).toEqual(['👍2 mine waiting', '🎉1 mine waiting']);
  const rows = await db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
  const acknowledged = rows.map(({ clientOffset }, i) => ({
    type: 'acknowledged' as const,
    clientOffset,
    serverOffset: 7 + i,
    at: 9,
  }));
  await applyVerdicts(db, me, acknowledged, mint);
  expect(await shown(db)).toEqual(['👍2 mine', '🎉1 mine']);
  const echoes = rows.map(
    (row, i) => ({ ...on(7 + i, me, ['👍', '🎉'][i]!), clientOffset: row.clientOffset }) as Entry,
  );
  await apply(db, echoes, [counts(8, { '👍': 2, '🎉': 1 })]);
  expect(await shown(db)).toEqual(['👍2 mine', '🎉1 mine']);
});

test('a reaction that is taken back and counted nowhere else is not shown', () => {
  expect(
    shownReactions(
      { asOf: 6, counts: [{ emoji: '👍', count: 1, by: [me] }], mine: ['👍'] },
      [],
      [{ emoji: '👍', on: false }],
    ),
  ).toEqual([]);
});

test('a message with a thousand reactions is read without any of their entries', async () => {
  const db = open();
  await apply(db, [message], []);
  const many = Array.from({ length: 1_000 }, (_, i) => on(6 + i, mika, '👍'));
  await apply(db, many, [counts(1_005, { '👍': 1_000 })]);
  const about = await db.read(['log'], (tx) => tx.objectStore('log').index('target').count());
  expect(about).toBe(0);
  expect(await shown(db)).toEqual(['👍1000']);
});

test('counts are deleted with the logs', async () => {
  const db = open();
  await apply(db, [message, on(6, mika, '👍')], [counts(6, { '👍': 1 })]);
  await deleteStoredLogs(db);
  expect(await db.read(['reactions'], (tx) => tx.objectStore('reactions').count())).toBe(0);
});
