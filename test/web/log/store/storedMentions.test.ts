/** Messages that mention the person: those of the server's list, and those that come afterwards. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import type { Room } from '../../../../shared/protocol/index.ts';
import type { UserDatabase } from '../../../../web/db/userDatabase.ts';
import { applyFrame, storeRoom } from '../../../../web/log/store/applyFrames.ts';
import { createSummaries } from '../../../../web/state/summaries.ts';
import { ROOM } from '../../outbox/support.ts';
import { emptyDatabase } from '../storedLog.ts';
import { me, text } from '../syncBench.ts';

let db: UserDatabase;
beforeEach(() => {
  db = emptyDatabase(me);
});
afterEach(() => db.close());

const described: Room = {
  id: ROOM,
  kind: 'public',
  name: 'Lobby',
  head: 3_000,
  from: 3_001,
  readUpTo: 10,
  members: 2,
  unread: 50,
  mentions: [17, 2_000],
};

const mentioning = (entry: Entry): Entry => ({ ...entry, mentions: [{ user: me, name: 'Mika' }] }) as Entry;

async function hear(...entries: Entry[]): Promise<void> {
  const { serverOffset } = entries[0]!;
  const amendedTo = entries.at(-1)!.serverOffset;
  const run = { room: ROOM, entries, amendments: [], amendedTo, opens: serverOffset === 3_001 };
  expect(await applyFrame(db, me, run, {})).toMatchObject({ stored: true });
}

async function listed(): Promise<readonly number[]> {
  const summaries = createSummaries(db, { id: me, name: 'Mika', rev: 0 }, () => {});
  await summaries.open();
  return summaries.list()[0]!.mentions;
}

test('missed mentions are listed wherever they are, later ones are added, deleted and read ones are not', async () => {
  await storeRoom(db, described);
  expect(await listed()).toEqual([17, 2_000]);
  await hear(
    mentioning(text(3_001)),
    text(3_002),
    mentioning(text(3_003, 'mine', me)),
    mentioning(text(3_004)),
  );
  expect(await listed()).toEqual([17, 2_000, 3_001, 3_004]);
  const deletion = { ...text(3_005), kind: 'delete', target: 2_000, body: undefined } as unknown as Entry;
  await hear(deletion);
  expect(await listed()).toEqual([17, 3_001, 3_004]);
  await db.write(['marks'], (tx) => tx.objectStore('marks').put({ room: ROOM, upTo: 3_001, told: false }));
  expect(await listed()).toEqual([3_004]);
  await storeRoom(db, { ...described, head: 3_005, readUpTo: 3_005, from: 3_006, unread: 0, mentions: [] });
  expect(await listed()).toEqual([]);
});

test('an answer to a request, which lists no mentions, keeps those that are known', async () => {
  await storeRoom(db, described);
  const { mentions: _, ...answer } = described;
  await storeRoom(db, answer, undefined, undefined, false);
  expect(await listed()).toEqual([17, 2_000]);
});
