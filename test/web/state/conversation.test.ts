import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { redacted } from '../../../shared/kinds.ts';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { windowMoves } from '../../../web/log/read/moveWindow.ts';
import { RETRY_MAX_MS, WINDOW_MAX_LINES, WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import type { Row } from '../../../web/records/row.ts';
import type { OffsetRange, Span } from '../../../web/records/spans.ts';
import { messageKey } from '../../../web/records/storedRecords.ts';
import { type ConversationModel, createConversation } from '../../../web/state/conversation.ts';
import { firstUnread } from '../../../web/view/readingPlace.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { emptyDatabase, holdOf, queue } from '../log/storedLog.ts';
import { amend, grow, me, text } from '../log/syncBench.ts';
import { edit, key, parked, ROOM, text as row } from '../outbox/support.ts';
import { userOf } from '../welcome.ts';

let db: UserDatabase;
const clock = createFakeClock();
let live = true;
const sync = {
  older: vi.fn(async (_room: string, _from: number) => false),
  newer: vi.fn(async (_room: string, _to: number) => false),
  around: vi.fn(async (_room: string, _offset: number) => false),
  freshen: vi.fn(async (_room: string, _seen: OffsetRange) => 'known' as const),
};

beforeEach(() => {
  db = emptyDatabase(me);
  live = true;
  for (const each of Object.values(sync)) each.mockClear();
});
afterEach(() => {
  db.close();
  vi.restoreAllMocks();
});

const whole = (log: readonly Entry[]): Span[] => [{ from: 1, to: log.length, amendedTo: log.length }];
const logOf = (count: number) => {
  const log: Entry[] = [];
  grow(log, count);
  return log;
};
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const rows = (from: number, to: number): Row[] =>
  Array.from({ length: to - from + 1 }, (_, i) => row(from + i));

async function looked(): Promise<ConversationModel> {
  const user = userOf(me, 'Mika');
  const conversation = createConversation({
    db,
    me: user,
    room: ROOM,
    liveSync: () => (live ? sync : undefined),
    moves: () => windowMoves,
    clock,
    random: () => 1,
  });
  conversation.state.subscribe(() => {});
  await until('it is read', () => !conversation.state.get().loading);
  return conversation;
}

const keys = ({ state }: ConversationModel) => state.get().messages.map((message) => message.key);
const bodies = ({ state }: ConversationModel) =>
  state.get().messages.map(({ content }) => (content.tag === 'text' ? content.body : content.tag));

/** Loads one page in that direction; resolves with the keys that are shown then. */
async function page(conversation: ConversationModel, way: 'loadOlder' | 'loadNewer'): Promise<string[]> {
  const { messages } = conversation.state.get();
  conversation[way](WINDOW_STEP_LINES);
  await until(way, () => conversation.state.get().messages !== messages);
  await turns(5); // the step ends a little later
  return keys(conversation);
}

async function upTo(conversation: ConversationModel, key: string): Promise<void> {
  while (!keys(conversation).slice(0, 100).includes(key)) await page(conversation, 'loadOlder');
}

/** These rows are in the log now, after `others` messages of others. */
async function sent(log: Entry[], ended: readonly Row[], others = 0): Promise<void> {
  grow(log, others);
  for (const { clientOffset, seq } of ended)
    log.push({ ...text(log.length + 1, `text ${seq}`, me), clientOffset });
  await holdOf(db, log, whole(log));
  await db.write(['rows'], async (tx) => {
    for (const { seq } of ended) await tx.objectStore('rows').delete(seq);
  });
}

test('O3 of eight hundred queued messages and the log before them at most 120 are shown; scrolling both ways skips none', async () => {
  const log = logOf(120);
  await holdOf(db, log, whole(log));
  await queue(db, rows(1, 800));
  const conversation = await looked();
  expect(bodies(conversation).at(-1)).toBe('text 800');
  expect(conversation.state.get()).toMatchObject({ atNewest: true, atStart: false });
  const seen: string[] = keys(conversation);
  for (let last = 0; last !== seen.length; ) {
    last = seen.length;
    const now = await page(conversation, 'loadOlder');
    expect(now.length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
    expect(new Set(now).size).toBe(now.length);
    const at = now.indexOf(seen[0]!);
    expect(at).toBeGreaterThanOrEqual(0);
    seen.unshift(...now.slice(0, at));
    if (conversation.state.get().atStart) break;
  }
  expect(seen).toHaveLength(920);
  while (!conversation.state.get().atNewest) {
    const now = await page(conversation, 'loadNewer');
    expect(now.length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
    expect(now).toEqual(seen.slice(seen.indexOf(now[0]!), seen.indexOf(now[0]!) + now.length));
  }
  expect(keys(conversation).at(-1)).toBe(seen.at(-1));
});

test('O3 the position among queued messages is kept while they are sent, however many of others come between', async () => {
  const log = logOf(30);
  const waiting = rows(1, 600);
  await holdOf(db, log, whole(log));
  await queue(db, waiting);
  const conversation = await looked();
  await upTo(conversation, `${me} ${key(300)}`);
  const middle = keys(conversation)[75]!;
  const end = () => keys(conversation).at(-1);
  const ended = () => db.read(['rows'], (tx) => tx.objectStore('rows').count());
  for (const [before, after, others] of [
    [0, 100, 0],
    [100, 330, 3],
    [330, 360, 400],
    [360, 600, 1],
  ] as const) {
    await sent(log, waiting.slice(before, after), others);
    await conversation.refresh();
    expect(keys(conversation)).toContain(middle);
    expect(keys(conversation).length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
  }
  expect(await ended()).toBe(0);
  await conversation.toNewest();
  expect(end()).toBe(`${me} ${key(600)}`);
});

test('O3 the position is kept when the first visible message is refused and the others are sent', async () => {
  const log = logOf(10);
  const waiting = rows(1, 500);
  await holdOf(db, log, whole(log));
  await queue(db, waiting);
  const conversation = await looked();
  await upTo(conversation, `${me} ${key(250)}`);
  const now = keys(conversation);
  const first = waiting.findIndex(({ clientOffset }) => now[0] === `${me} ${clientOffset}`);
  await db.write(['rows'], (tx) => tx.objectStore('rows').put(parked(waiting[first]!)));
  await sent(log, [...waiting.slice(0, first), ...waiting.slice(first + 1, first + 100)]);
  await conversation.refresh();
  expect(keys(conversation)).toContain(now[75]);
});

test('a jump to the newest during a read is not lost', async () => {
  const log = logOf(400);
  await holdOf(db, log, whole(log));
  const conversation = await looked();
  while (conversation.state.get().atNewest) await page(conversation, 'loadOlder');
  const reading = conversation.refresh();
  await turns(1); // the read has begun
  await conversation.toNewest();
  await reading;
  expect(conversation.state.get().atNewest).toBe(true);
  expect(bodies(conversation).at(-1)).toBe('text 400');
});

test('O3 an edit of a text outside the window is shown with its text, or at the end', async () => {
  const log = [{ ...text(1, 'mine', me), clientOffset: key(1) }, ...logOf(301).slice(1)];
  await holdOf(db, log, whole(log));
  await queue(db, [...rows(5, 9), parked({ ...edit(12, 1), targetOffset: 1 } as Row)]);
  const conversation = await looked();
  expect(bodies(conversation).slice(-2)).toEqual(['text 9', 'edit 12']);
  while (!conversation.state.get().atStart) await page(conversation, 'loadOlder');
  expect(conversation.state.get().messages[0]).toMatchObject({
    content: { body: 'edit 12' },
    pending: 'edit',
  });
});

test('S2 a range that failed over a live connection is requested again after a backoff, not at once', async () => {
  const log = logOf(300);
  await holdOf(db, log, [{ from: 251, to: 300, amendedTo: 300 }]);
  const conversation = await looked();
  const older = () => conversation.state.get().older;
  const askInVain = async () => {
    conversation.loadOlder(WINDOW_STEP_LINES);
    await until('stuck', () => older() === 'stuck');
    await turns(5); // the step ends a little later
  };
  for (let asked = 1; asked <= 3; asked++) {
    if (asked === 3) sync.older.mockRejectedValueOnce(new Error('the database did not answer'));
    await askInVain();
    expect(sync.older).toHaveBeenCalledTimes(asked);
    clock.pass(400);
    expect(older()).toBe('stuck');
    clock.pass(RETRY_MAX_MS);
    expect(older()).toBe('idle');
  }
  await askInVain();
  live = false;
  clock.pass(RETRY_MAX_MS);
  expect(older()).toBe('stuck'); // until there is a connection
  live = true;
  conversation.live();
  expect(older()).toBe('idle');
  sync.older.mockImplementationOnce(async () => {
    await holdOf(db, log, [{ from: 151, to: 300, amendedTo: 300 }]);
    return true;
  });
  await page(conversation, 'loadOlder');
  await until('it came', () => bodies(conversation)[0] === `text ${251 - WINDOW_STEP_LINES}`);
  expect(older()).toBe('idle');
});

test('S3 amendments are requested only for lines that may be stale, and only with a connection', async () => {
  const log = logOf(300);
  await holdOf(db, log, whole(log));
  const conversation = await looked();
  while (conversation.state.get().atNewest) await page(conversation, 'loadOlder');
  const [first, last] = [0, -1].map((i) => conversation.state.get().messages.at(i)!.serverOffset!);
  expect(sync.freshen).not.toHaveBeenCalled();
  grow(log, 150);
  await holdOf(db, log, [
    { from: 1, to: 300, amendedTo: 300 },
    { from: 401, to: 450, amendedTo: 450 },
  ]);
  live = false;
  await conversation.refresh();
  expect(sync.freshen).not.toHaveBeenCalled();
  live = true;
  await conversation.refresh();
  expect(sync.freshen.mock.calls).toEqual([[ROOM, { from: first, to: last }]]);
});

const readUpTo = (offset: number, head = 0) =>
  db.write(['rooms'], (tx) =>
    tx
      .objectStore('rooms')
      .put({ id: ROOM, kind: 'public', name: 'Lobby', head, members: 2, readUpTo: offset }),
  );

/** The first unread message, where the view can be sure of it. */
const unread = ({ state }: ConversationModel) => firstUnread(state.get(), state.get().readUpTo)?.serverOffset;

test('a room opens around the first unread message; at the newest one if the unread ones are few, or all are read', async () => {
  const log = logOf(400);
  await holdOf(db, log, whole(log));
  await readUpTo(100);
  const opened = await looked();
  expect(bodies(opened)).toEqual(span(76, 125).map((n) => `text ${n}`));
  expect(opened.state.get().atNewest).toBe(false);
  expect(unread(opened)).toBe(101);
  for (const read of [365, 400]) {
    await readUpTo(read);
    const { state } = await looked();
    expect(state.get()).toMatchObject({ atNewest: true, messages: { length: 50 } });
  }
});

test('the newest own text is found where the window does not hold it: with its edits, or refused, but never a deleted one', async () => {
  const log = logOf(400);
  for (const at of [10, 20, 30]) log[at - 1] = text(at, `mine ${at}`, me);
  amend(log, 'edit', 20, 'changed');
  amend(log, 'delete', 30);
  await holdOf(db, log, whole(log));
  const conversation = await looked();
  expect(conversation.state.get().messages.some(({ mine }) => mine)).toBe(false);
  expect(await conversation.newestOwn()).toMatchObject({ serverOffset: 20, content: { body: 'changed' } });

  await queue(db, [parked(row(1))]);
  expect(await conversation.newestOwn()).toMatchObject({
    key: `${me} ${key(1)}`,
    status: { tag: 'not-sent' },
  });
});

test('unread messages that are deleted, or one’s own, do not decide where a room opens', async () => {
  const log = logOf(200);
  for (let n = 102; n <= 160; n++) {
    log[n - 1] = n % 2 ? { ...log[n - 1]!, author: me } : redacted(log[n - 1]!);
  }
  await holdOf(db, log, whole(log));
  await readUpTo(101);
  const opened = await looked();
  expect(unread(opened)).toBe(161);
  expect(bodies(opened)).toContain('text 161');
});

test('the first unread message lies in a hole: the room opens above the hole, or the part around it is fetched', async () => {
  const log = logOf(1_000);
  const newest = { from: 951, to: 1_000, amendedTo: 1_000 };
  await holdOf(db, log, [{ from: 1, to: 300, amendedTo: 1_000 }, newest]);
  await readUpTo(300);
  const beside = await looked();
  expect(bodies(beside)).toContain('text 300');
  expect(beside.state.get().gaps).toMatchObject([{ from: 301, to: 950 }]);
  expect(unread(beside)).toBeUndefined();
  expect(sync.around).not.toHaveBeenCalled();

  await readUpTo(500);
  sync.around.mockImplementationOnce(async () => {
    await holdOf(db, log, [{ from: 451, to: 550, amendedTo: 1_000 }, newest]);
    await readUpTo(500);
    return true;
  });
  const fetched = await looked();
  await until('it is there', () => unread(fetched) === 501);
  expect(sync.around.mock.calls).toEqual([[ROOM, 501]]);
  expect(bodies(fetched)).toContain('text 476');
});

test('a room opens where it was left, also by another page on the same database, unless it was left at the newest message', async () => {
  const log = logOf(400);
  await holdOf(db, log, whole(log));
  await readUpTo(390);
  const { author, clientOffset } = log[149]!;
  const place = { key: messageKey(author, clientOffset), serverOffset: 150, px: -7 };
  const conversation = await looked();
  conversation.leaveAt(place);
  await until('it is stored', async () => (await stored()) !== undefined);
  const again = await looked();
  expect(again.state.get().opening).toEqual({ left: place });
  expect(keys(again)).toContain(place.key);

  await holdOf(db, logOf(400), whole(log)); // another log has another message there
  expect((await looked()).state.get()).toMatchObject({ atNewest: true, opening: { left: undefined } });
  conversation.leaveAt(undefined);
  await until('it is stored', async () => (await stored()) === '');
  expect((await looked()).state.get()).toMatchObject({ atNewest: true, opening: { left: undefined } });

  function stored() {
    return db.read(['meta'], (tx) => tx.objectStore('meta').get(`place in ${ROOM}`));
  }
});

test('more messages than the window holds come at once: what was shown last stays in it, unless the person goes to the newest', async () => {
  const log = logOf(60);
  await holdOf(db, log, whole(log));
  const conversation = await looked();
  grow(log, 114);
  await holdOf(db, log, whole(log));
  await conversation.refresh();
  expect(bodies(conversation)).toContain('text 60');
  expect(conversation.state.get().atNewest).toBe(false);
  await conversation.toNewest();
  expect(bodies(conversation).at(-1)).toBe('text 174');
});

test('S1 a window that stood further up when the log was put back goes to the newest, with the separator of the new log', async () => {
  const log = logOf(400);
  const about = { id: ROOM, kind: 'public', name: 'Lobby', members: 2 } as const;
  const describe = (head: number, readUpTo: number, logGeneration?: number) =>
    db.write(['rooms'], (tx) =>
      tx.objectStore('rooms').put({ ...about, head, readUpTo, ...(logGeneration && { logGeneration }) }),
    );
  await holdOf(db, log, whole(log));
  await describe(400, 400);
  const conversation = await looked();
  while (conversation.state.get().atNewest) await page(conversation, 'loadOlder');
  const other = log.slice(0, 300);
  grow(other, 7);
  await holdOf(db, other, whole(other));
  await describe(307, 300, 1);
  await conversation.refresh();
  expect(conversation.state.get()).toMatchObject({ atNewest: true, logGeneration: 1 });
  expect(unread(conversation)).toBe(301);
});

test('no message counts as the first unread one while that may lie above the window', async () => {
  const log = logOf(60);
  await holdOf(db, log, [{ from: 31, to: 60, amendedTo: 60 }]);
  live = false;
  await readUpTo(20);
  expect(unread(await looked())).toBeUndefined(); // the first unread message may be anywhere above
  await readUpTo(30);
  expect(unread(await looked())).toBe(31);
  await readUpTo(40);
  expect(unread(await looked())).toBe(41);
});

test('S3 a hole hides no stored message: without a connection all are shown, with a gap between them', async () => {
  live = false;
  await holdOf(db, logOf(83), [
    { from: 1, to: 32, amendedTo: 32 },
    { from: 73, to: 83, amendedTo: 83 },
  ]);
  const conversation = await looked();
  const held = [...span(1, 32), ...span(73, 83)].map((n) => `text ${n}`);
  expect(bodies(conversation)).toEqual(held);
  const gap = { tag: 'gap', from: 33, to: 72 } as const;
  expect(conversation.state.get()).toMatchObject({ gaps: [gap], atStart: true, atNewest: true });
  conversation.loadBetween(gap, 'upper');
  await until('stuck', () => conversation.state.get().between === 'stuck');
  expect(bodies(conversation)).toEqual(held);
});

test('S3 a text that was acknowledged without its neighbours is shown at its place, after a gap', async () => {
  live = false;
  await holdOf(db, logOf(83), [{ from: 1, to: 32, amendedTo: 32 }], new Set([73, 74]));
  const conversation = await looked();
  expect(bodies(conversation)).toEqual([...span(1, 32), 73, 74].map((n) => `text ${n}`));
  expect(conversation.state.get().gaps).toEqual([{ tag: 'gap', from: 33, to: 72 }]);
  live = true; // the catch-up brings what is beyond the cursor
  await conversation.refresh();
  expect(conversation.state.get().gaps).toEqual([]);
});

test('S3 without a connection the window jumps back over thousands of entries and to the end again, where both are stored', async () => {
  live = false;
  await holdOf(db, logOf(3_100), [
    { from: 1, to: 60, amendedTo: 60 },
    { from: 3_050, to: 3_100, amendedTo: 3_100 },
  ]);
  const conversation = await looked();
  expect(await conversation.jumpTo(20)).toBe(true);
  expect(bodies(conversation).slice(0, 60)).toContain('text 20');
  expect(conversation.state.get().atNewest).toBe(false);
  await conversation.toNewest();
  expect(bodies(conversation).at(-1)).toBe('text 3100');
  expect(await conversation.jumpTo(1_000)).toBe(false);
  expect(bodies(conversation).at(-1)).toBe('text 3100');
  expect(sync.around).not.toHaveBeenCalled();
});

test('S3 a jump to an entry that is not stored requests one range around it; the window moves when it has arrived', async () => {
  const log = logOf(3_100);
  const newest = { from: 3_001, to: 3_100, amendedTo: 3_100 };
  await holdOf(db, log, [newest]);
  const conversation = await looked();
  expect(await conversation.jumpTo(70)).toBe(false);
  expect(bodies(conversation).at(-1)).toBe('text 3100');
  sync.around.mockImplementationOnce(async () => {
    await holdOf(db, log, [{ from: 21, to: 120, amendedTo: 3_100 }, newest]);
    return true;
  });
  expect(await conversation.jumpTo(70)).toBe(true);
  expect(bodies(conversation)).toEqual(span(45, 94).map((n) => `text ${n}`));
  expect(sync.around.mock.calls).toEqual([
    [ROOM, 70],
    [ROOM, 70],
  ]);
});

test.each(['upper', 'lower'] as const)(
  'S3 while a gap is filled at its %s end, the messages beside it stay in the window',
  async (edge) => {
    const log = logOf(1_000);
    const ends = [
      { from: 1, to: 160, amendedTo: 1_000 },
      { from: 841, to: 1_000, amendedTo: 1_000 },
    ];
    await holdOf(db, log, ends);
    const conversation = await looked();
    while (!keys(conversation).includes(`${log[159]!.author} ${log[159]!.clientOffset}`))
      await page(conversation, 'loadOlder');
    const [gap] = conversation.state.get().gaps;
    expect(gap).toEqual({ tag: 'gap', from: 161, to: 840 });
    const fill = edge === 'upper' ? sync.older : sync.newer;
    fill.mockImplementationOnce(async () => {
      const grown =
        edge === 'upper' ? [ends[0]!, { ...ends[1]!, from: 741 }] : [{ ...ends[0]!, to: 260 }, ends[1]!];
      await holdOf(db, log, grown);
      return true;
    });
    conversation.loadBetween(gap!, edge);
    await until('it came', () => fill.mock.calls.length > 0 && conversation.state.get().between === 'idle');
    await turns(5);
    expect(fill.mock.calls).toEqual([[ROOM, edge === 'upper' ? 841 : 160]]);
    const beside = edge === 'upper' ? span(841, 880) : span(121, 160);
    expect(bodies(conversation)).toEqual(expect.arrayContaining(beside.map((n) => `text ${n}`)));
  },
);

test('a jump to the newest is not undone by a gap that is still on the screen', async () => {
  await holdOf(db, logOf(1_000), [
    { from: 1, to: 160, amendedTo: 1_000 },
    { from: 841, to: 1_000, amendedTo: 1_000 },
  ]);
  const conversation = await looked();
  while (conversation.state.get().gaps.length === 0) await page(conversation, 'loadOlder');
  while (conversation.state.get().atNewest) await page(conversation, 'loadOlder');
  const [gap] = conversation.state.get().gaps;
  const jump = conversation.toNewest();
  conversation.loadBetween(gap!, 'upper');
  await jump;
  await turns(20);
  expect(conversation.state.get().atNewest).toBe(true);
  expect(bodies(conversation)).toEqual(span(951, 1_000).map((n) => `text ${n}`));
});

test('no message counts as the first unread one behind a gap that may hold it', async () => {
  const log = logOf(60);
  await holdOf(db, log, [
    { from: 1, to: 20, amendedTo: 60 },
    { from: 31, to: 60, amendedTo: 60 },
  ]);
  await readUpTo(20);
  expect(unread(await looked())).toBeUndefined();
  await readUpTo(30);
  expect(unread(await looked())).toBe(31);
  await readUpTo(10);
  expect(unread(await looked())).toBe(11);
});
