import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { RETRY_MAX_MS, WINDOW_MAX_LINES } from '../../../web/records/pageLimits.ts';
import type { Row } from '../../../web/records/row.ts';
import type { OffsetRange, Span } from '../../../web/records/spans.ts';
import { type ConversationModel, createConversation } from '../../../web/state/conversation.ts';
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
  conversation[way]();
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

test('O3 of eight hundred queued messages and the log before them at most 150 are shown; scrolling both ways skips none', async () => {
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
    conversation.loadOlder();
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
  await until('it came', () => bodies(conversation)[0] === 'text 201');
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

test('messages that arrive while the window is further up are counted exactly: others’ texts, no edits, no own ones', async () => {
  const log = logOf(400);
  await holdOf(db, log, whole(log));
  const conversation = await looked();
  while (conversation.state.get().atNewest) await page(conversation, 'loadOlder');
  expect(conversation.state.get().unseen).toBe(0);
  for (let i = 0; i < 40; i++) amend(log, 'edit', 1 + i, 'changed');
  grow(log, 12);
  log.push(text(log.length + 1, 'mine', me));
  await holdOf(db, log, whole(log));
  await conversation.refresh();
  expect(conversation.state.get().unseen).toBe(12);
  await conversation.toNewest();
  while (conversation.state.get().atNewest) await page(conversation, 'loadOlder');
  expect(conversation.state.get().unseen).toBe(0);
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

test('S1 after a log was put back, new messages are counted from its end', async () => {
  const log = logOf(400);
  await holdOf(db, log, whole(log));
  const conversation = await looked();
  await holdOf(db, log.slice(0, 300), whole(log.slice(0, 300)));
  await conversation.refresh();
  while (conversation.state.get().atNewest) await page(conversation, 'loadOlder');
  const other = log.slice(0, 300);
  grow(other, 7);
  await holdOf(db, other, whole(other));
  await conversation.refresh();
  expect(conversation.state.get().unseen).toBe(7);
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
  const { messages, ...state } = conversation.state.get();
  expect(state).toMatchObject({ atNewest: true, unseen: 0, logGeneration: 1 });
  expect(messages.find(({ key }) => key === state.newSince)?.serverOffset).toBe(301);
});

test('the mark of new messages is not set while the first unread one may lie above the window', async () => {
  const log = logOf(60);
  const about = { id: ROOM, kind: 'public', name: 'Lobby', head: 60, members: 2 } as const;
  const isRead = (readUpTo: number) =>
    db.write(['rooms'], (tx) => tx.objectStore('rooms').put({ ...about, readUpTo }));
  await holdOf(db, log, [{ from: 31, to: 60, amendedTo: 60 }]);
  const newSince = async () => {
    const { state } = await looked();
    return state.get().messages.findIndex((message) => message.key === state.get().newSince);
  };

  await isRead(0);
  expect(await newSince()).toBe(-1); // the first unread message may be anywhere above
  await isRead(30);
  expect(await newSince()).toBe(0);
  await isRead(40);
  expect(await newSince()).toBe(10);
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

test('the mark of new messages is not set behind a gap that may hold the first of them', async () => {
  const log = logOf(60);
  await holdOf(db, log, [
    { from: 1, to: 20, amendedTo: 60 },
    { from: 31, to: 60, amendedTo: 60 },
  ]);
  const about = { id: ROOM, kind: 'public', name: 'Lobby', head: 60, members: 2 } as const;
  const newSince = async (readUpTo: number) => {
    await db.write(['rooms'], (tx) => tx.objectStore('rooms').put({ ...about, readUpTo }));
    const { state } = await looked();
    return state.get().messages.find(({ key }) => key === state.get().newSince)?.serverOffset;
  };
  expect(await newSince(20)).toBeUndefined();
  expect(await newSince(30)).toBe(31);
  expect(await newSince(10)).toBe(11);
});
