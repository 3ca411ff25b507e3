import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { UNREAD_COUNTED_MAX } from '../../../../shared/limits.ts';
import type { UserDatabase } from '../../../../web/db/userDatabase.ts';
import { countUnread, findFirstUnread } from '../../../../web/log/read/readLines.ts';
import { storeRoom, storeWelcome } from '../../../../web/log/store/applyFrames.ts';
import { cover, type Span } from '../../../../web/records/spans.ts';
import { seeded } from '../../../support/random.ts';
import { unreadIn } from '../../modelLog.ts';
import { ROOM } from '../../outbox/support.ts';
import { userOf, welcomeOf } from '../../welcome.ts';
import { emptyDatabase, holdOf } from '../storedLog.ts';
import { amend, lin, me, text } from '../syncBench.ts';

let db: UserDatabase;
beforeEach(() => {
  db = emptyDatabase(me);
});
afterEach(() => db.close());

const spansTo = (log: readonly Entry[], ...held: [number, number][]): Span[] =>
  held.map(([from, to]) => ({ from, to, amendedTo: log.length }));
const logOf = (count: number) => Array.from({ length: count }, (_, i) => text(i + 1));

/** A server's description of a room with this log. */
const describedOf = (log: readonly Entry[], readUpTo: number) => ({
  id: ROOM,
  kind: 'public' as const,
  name: 'r',
  head: log.length,
  from: log.length + 1,
  readUpTo,
  members: 2,
  unread: unreadIn(log, me, readUpTo),
});

function firstUnread() {
  return db.read(['rooms', 'marks', 'logSpans', 'log', 'detached'], async (tx) =>
    findFirstUnread(tx, (await tx.objectStore('rooms').get(ROOM))!, me),
  );
}
async function unread(): Promise<number> {
  return db.read(['rooms', 'marks', 'logSpans', 'log', 'detached'], async (tx) =>
    countUnread(tx, (await tx.objectStore('rooms').get(ROOM))!, me),
  );
}
const seen = (upTo: number) =>
  db.write(['marks'], (tx) => tx.objectStore('marks').put({ room: ROOM, upTo, told: false }));

/** Stores these parts of the log, and the server's description of the room from when the log was `then`. */
async function hold(
  log: readonly Entry[],
  held: [number, number][],
  then = log,
  readUpTo = 0,
): Promise<void> {
  await holdOf(db, log, spansTo(log, ...held));
  await storeRoom(db, describedOf(then, readUpTo));
}

describe('unread', () => {
  test("are the server's count where not everything is stored", async () => {
    const log = logOf(60);
    await hold(log, [], log, 40);
    expect(await unread()).toBe(20);
    await hold(log, [[51, 60]], log, 40);
    expect(await unread()).toBe(20);
  });

  test('do not include joins, edits, own and deleted messages of a hole', async () => {
    const log = logOf(40);
    for (let i = 0; i < 30; i++) log.push({ ...text(log.length + 1), kind: 'join' });
    for (let i = 0; i < 30; i++) log.push(text(log.length + 1, 'mine', me));
    amend(log, 'delete', 35);
    await hold(log, [[98, 101]], log, 30);
    expect(await unread()).toBe(9);
  });

  test('are counted locally where all entries since the read marker are stored, whatever the server counted', async () => {
    const log = logOf(60);
    await hold(log, [[21, 60]], logOf(40), 10);
    expect(await unread()).toBe(50);
    await seen(45);
    expect(await unread()).toBe(15);
    await seen(60);
    expect(await unread()).toBe(0);
  });

  test('do not include messages that were deleted since the server counted, also in a hole', async () => {
    const then = logOf(60);
    const log = [...then];
    amend(log, 'delete', 45);
    await hold(log, [[51, 61]], then, 40);
    expect(await unread()).toBe(19);
  });

  test('are the maximum where the server stopped counting and the hole is large', async () => {
    const log = logOf(500);
    await hold(log, [[491, 500]], log, 100);
    expect(await unread()).toBe(UNREAD_COUNTED_MAX);
    await seen(485);
    expect(await unread()).toBe(15); // the hole has no more entries
  });

  test('of a room that the answer to a request describes stay as they were counted', async () => {
    const log = logOf(60);
    const { unread: _, ...answer } = describedOf(log, 40);
    await storeWelcome(db, welcomeOf(userOf(me, 'Mika'), [describedOf(log, 40)]));
    await storeRoom(db, answer, new Map(), undefined, false);
    expect(await unread()).toBe(20);
  });

  test('S1 count again after a restore although nothing was stored that could show it: the read marker lies beyond the head', async () => {
    const log = logOf(50);
    await seen(100);
    await storeWelcome(db, welcomeOf(userOf(me, 'Mika'), [describedOf(log, 40)]));
    expect(await unread()).toBe(10);
    await seen(45);
    await storeRoom(db, describedOf(log, 40));
    expect(await unread()).toBe(5);
    await storeRoom(db, describedOf(log.slice(0, 44), 40));
    expect(await unread()).toBe(4);
  });

  test('begin nowhere where the server counted none, since all was read', async () => {
    const log = logOf(60);
    await hold(log, [[1, 60]], log, 60);
    expect(await firstUnread()).toBeUndefined();
    expect(await unread()).toBe(0);
  });

  test('begin at the first message of others after the read marker, or at the hole that may contain it', async () => {
    const log = [...logOf(40), text(41, 'mine', me), { ...text(42), kind: 'join' }, text(43), text(44)];
    amend(log, 'delete', 43);
    await hold(log, [[1, 45]], log, 40);
    expect(await firstUnread()).toEqual({ offset: 44, isHeld: true });
    await hold(
      log,
      [
        [1, 40],
        [44, 45],
      ],
      log,
      40,
    );
    expect(await firstUnread()).toEqual({ offset: 44, isHeld: true }); // the server counted one, and that is stored
    await hold(log, [[44, 45]], log, 20);
    expect(await firstUnread()).toEqual({ offset: 21, isHeld: false });
    await hold(log, [], log, 20);
    expect(await firstUnread()).toEqual({ offset: 21, isHeld: false });
    await seen(45);
    expect(await firstUnread()).toBeUndefined();
  });

  test.each(Array.from({ length: 60 }, (_, i) => i + 1))(
    'are exact while no entry before the read marker is missing, however markers move and holes are filled: seed %i',
    async (seed) => {
      const random = seeded(seed);
      const log: Entry[] = [];
      const grow = (count: number) => {
        for (let i = 0; i < count; i++) {
          const texts = log.filter(({ kind, deleted }) => kind === 'text' && !deleted);
          const what = random.pick(['text', 'text', 'mine', 'join', 'delete']);
          if (what === 'delete' && texts.length > 0) amend(log, 'delete', random.pick(texts).serverOffset);
          else if (what === 'join') log.push({ ...text(log.length + 1), kind: 'join' });
          else log.push(text(log.length + 1, what, what === 'mine' ? me : lin));
        }
      };
      grow(random.int(10, 80));
      let mark = random.int(0, log.length);
      const then = [...log];
      const readUpTo = mark;
      grow(random.int(0, 20)); // received live and stored
      let spans = spansTo(log, [then.length - random.int(0, 9), log.length]);
      for (let step = 0; step < 8; step++) {
        await hold(
          log,
          spans.map(({ from, to }) => [from, to]),
          then,
          readUpTo,
        );
        await seen(mark);
        expect(await unread()).toBe(unreadIn(log, me, mark));
        const hole = spans[0]!.from - 1;
        if (random.int(0, 1) === 0 && hole > readUpTo) {
          const from = random.int(readUpTo + 1, hole);
          spans = cover(spans, { from, to: hole, amendedTo: log.length }, true)!;
        } else if (spans[0]!.from <= readUpTo + 1) mark = random.int(mark, log.length);
      }
    },
  );
});
