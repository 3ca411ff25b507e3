import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { ACKNOWLEDGE_WITHIN_MS } from '../../../../shared/limits.ts';
import { AT_NEWEST, anchorAround, readWindow } from '../../../../web/log/read/window.ts';
import { forgetLog } from '../../../../web/log/store/deleteLogs.ts';
import { type LogRun, SYNC_STORES, storeEntries } from '../../../../web/log/store/storeEntries.ts';
import { applyVerdicts } from '../../../../web/outbox/applyVerdicts.ts';
import { enqueue } from '../../../../web/outbox/enqueue.ts';
import { RANGE_LEAST_ENTRIES } from '../../../../web/records/pageLimits.ts';
import { turns, until } from '../../db/until.ts';
import { ROOM } from '../../outbox/support.ts';
import { mint } from '../../state/modelServer.ts';
import { userOf, welcomeOf } from '../../welcome.ts';
import { holdOf } from '../storedLog.ts';
import { amend, type Bench, bench, grow, lin, me, rangeOf, spans, text } from '../syncBench.ts';

afterEach(() => void vi.restoreAllMocks());

test('S1 an answer of another epoch stores nothing and starts a new connection', async () => {
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  grow(log, 300);
  await tab.connect();
  const before = await tab.records();
  tab.epoch = 'two'; // restored during this connection
  expect(await tab.sync.older('r', (await spans(tab.db))[1]!.from)).toBe(false);
  expect(await tab.records()).toBe(before);
  expect(tab.told).toContain('unusable');
});

test('S1 an answer that was requested before the log was restored is not stored afterwards', async () => {
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  grow(log, 300);
  await tab.connect();
  const stale = rangeOf(tab, { room: 'r', from: 152, to: 251 });
  let answer: (late: unknown) => void = () => {};
  tab.answer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const older = tab.sync.older('r', 252);
  await until('asked', () => tab.asked.length === 1);
  tab.sync.down();
  tab.answer = (asked) => rangeOf(tab, asked);
  tab.logs.set('r', [text(1, 'another')]);
  tab.logs.get('r')![0]!.at = 77;
  await tab.connect();
  answer(stale);
  expect(await older).toBe(false);
  await turns();
  expect(await spans(tab.db)).toMatchObject([{ from: 1, to: 1 }]);
});

test('S2 a range whose answer is lost on a living connection is requested again until it is stored', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  grow(log, 1);
  tab.answer = () => undefined; // never answered
  tab.sync.frame({ event: 'heads', payload: { r: 2 } });
  await until('asked', () => tab.asked.length === 1);
  await until('doubted', () => tab.told.includes('suspect'));
  expect(tab.sync.catchingUp()).toBe(true);
  for (let times = 2; times < 12; times++) {
    tab.clock.pass(20_000);
    await until('asked again', () => tab.asked.length === times);
    await turns(5);
  }
  tab.answer = (asked) => rangeOf(tab, asked);
  tab.clock.pass(20_000);
  await until('here', async () => (await spans(tab.db))[0]!.to === 2 && !tab.sync.catchingUp());
});

test('S2 ranges of a room that the user may no longer read are not requested again', async () => {
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  tab.answer = () => ({ ok: false, error: { code: 'forbidden', message: '' } });
  tab.sync.frame({ event: 'heads', payload: { r: 2 } });
  await until('asked', () => tab.asked.length === 1);
  await turns();
  tab.clock.pass(60_000);
  await turns();
  expect(tab.asked).toHaveLength(1);
  expect(tab.sync.catchingUp()).toBe(false);
});

test('S2 over connections that live five seconds, at 20 entries a second, a hole of 1,000 is filled', async () => {
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  grow(log, 1_050);
  await tab.connect();
  tab.answer = (asked) => {
    const answer = rangeOf(tab, asked);
    const took = (answer.entries.length / 20) * 1_000;
    tab.clock.pass(Math.min(took, 5_000));
    if (took <= 5_000) return answer;
    tab.sync.down(); // the connection ends
    return undefined;
  };
  for (let times = 0; times < 60 && (await spans(tab.db)).length > 1; times++) {
    const [, newest] = await spans(tab.db);
    if (!(await tab.sync.older('r', newest!.from))) await tab.connect();
  }
  expect(await spans(tab.db)).toMatchObject([{ from: 1, to: log.length }]);
});

test('S2 S4 the requested size is halved while no answer arrives, and grows again', async () => {
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  grow(log, 1_000);
  await tab.connect();
  const asking = async () => {
    tab.asked.length = 0;
    const [, newest] = await spans(tab.db);
    await tab.sync.older('r', newest!.from);
    return tab.asked[0]!.to - tab.asked[0]!.from + 1;
  };
  const answer = tab.answer;
  tab.answer = () => {
    tab.clock.pass(2 * ACKNOWLEDGE_WITHIN_MS);
    return undefined;
  };
  expect([
    await asking(),
    await asking(),
    await asking(),
    await asking(),
    await asking(),
    await asking(),
  ]).toEqual([100, 50, 25, 12, RANGE_LEAST_ENTRIES, RANGE_LEAST_ENTRIES]);
  tab.answer = answer;
  expect([await asking(), await asking(), await asking()]).toEqual([10, 20, 40]);
  tab.answer = (...of) => {
    tab.clock.pass(ACKNOWLEDGE_WITHIN_MS); // twice as much would exceed the time
    return answer(...of);
  };
  expect([await asking(), await asking()]).toEqual([80, 80]);
});

test('S1 a log restored by hand while the user was away is detected where a range overlaps stored entries', async () => {
  const log = [text(1, 'of the old log'), text(2)];
  const tab = bench({ r: log });
  await tab.connect();
  tab.sync.down();
  const other: Entry[] = [];
  grow(other, 300);
  tab.logs.set('r', other);
  await tab.sync.handshake();
  const room = { ...tab.describe('r'), from: 251 }; // as a server without a cursor of the room
  tab.sync.frame({
    event: 'welcome',
    payload: welcomeOf(userOf(me, 'me'), [{ ...room, reset: undefined }]),
  });
  tab.sync.frame({ event: 'entries', payload: { room: 'r', entries: other.slice(250), users: {} } });
  await tab.settled();
  expect(await tab.records()).toContain('of the old log');
  while ((await spans(tab.db)).at(-1)!.from > 1) {
    const newest = (await spans(tab.db)).at(-1)!;
    expect(await tab.sync.older('r', newest.from)).toBe(true);
    await tab.settled();
  }
  expect(await tab.records()).not.toContain('of the old log');
  expect(await spans(tab.db)).toMatchObject([{ from: 1, to: 300 }]);
});

test('S1 a log that ends before the stored entries of the handshake was restored', async () => {
  const tab = bench({ r: [text(1, 'old'), text(2, 'old')] });
  await tab.connect();
  tab.sync.down();
  tab.logs.set('r', [text(1, 'new')]);
  await tab.sync.handshake();
  const room = { ...tab.describe('r'), reset: undefined, from: 1 };
  tab.sync.frame({
    event: 'welcome',
    payload: welcomeOf(userOf(me, 'me'), [room]),
  });
  await until('forgotten', async () => !(await tab.records()).includes('old'));
});

test('O3 S3 an own message whose acknowledgement was lost, deleted elsewhere while more than 200 were missed: no text', async () => {
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  const clientOffset = mint();
  await enqueue(tab.db, { kind: 'text', body: 'secret', room: 'r', clientOffset, at: 1 });
  log.push({ ...text(2, 'secret', me), clientOffset });
  grow(log, 100);
  amend(log, 'edit', 2, 'secret, edited');
  amend(log, 'delete', 2);
  grow(log, 300);
  tab.sync.down();
  await tab.connect();
  const acknowledged = { type: 'acknowledged', clientOffset, serverOffset: 2, at: 2 } as const;
  const { placed } = await applyVerdicts(tab.db, me, [acknowledged], mint);
  expect(placed).toEqual([{ room: 'r', serverOffset: 2 }]);
  expect(await tab.records()).toContain('secret');
  for (const { room, serverOffset } of placed) tab.sync.check(room, serverOffset);
  await until('looked up', async () => !(await tab.records()).includes('secret'));
  expect((await spans(tab.db))[0]).toMatchObject({ from: 1, to: 2 }); // it touches a span

  const again = mint(); // touches no span; edited meanwhile
  log[199] = { ...text(200, 'as it was', me), clientOffset: again };
  amend(log, 'edit', 200, 'as it is');
  await enqueue(tab.db, { kind: 'text', body: 'as it was', room: 'r', clientOffset: again, at: 1 });
  const other = { type: 'acknowledged', clientOffset: again, serverOffset: 200, at: 2 } as const;
  for (const one of (await applyVerdicts(tab.db, me, [other], mint)).placed)
    tab.sync.check(one.room, one.serverOffset);
  await until('looked up', async () => (await tab.records()).includes('as it is'));
});

test('S3 500 rooms: one transaction for the welcome, few for the catch-up, the open one is asked for first', async () => {
  const ids = Array.from({ length: 500 }, () => mint());
  const rooms = Object.fromEntries(ids.map((id) => [id, [text(1)]]));
  const first = bench(rooms);
  let writes = 0;
  const db = {
    ...first.db,
    write: ((stores, work) => {
      writes++;
      return first.db.write(stores, work);
    }) as typeof first.db.write,
  };
  const opened = ids[400]!;
  const tab = bench(rooms, { db, opened: () => opened });
  await tab.connect();
  expect(await spans(tab.db)).toHaveLength(500);
  expect(writes).toBeLessThanOrEqual(1 + 500 / 20 + 1);
  expect(tab.changes.length).toBeLessThanOrEqual(writes);
  expect(tab.asked).toEqual([]);

  tab.sync.down();
  writes = 0;
  await tab.connect();
  expect(writes).toBe(1); // nothing was missed

  tab.sync.down();
  for (const log of tab.logs.values()) grow(log, 1);
  await tab.sync.handshake();
  const described = ids.map((id) => tab.describe(id, { from: 3, head: 2 })); // beyond the catch-up's limit: heads only
  tab.sync.frame({ event: 'welcome', payload: welcomeOf(userOf(me, 'me'), described) });
  await until('asked', () => tab.asked.length > 0);
  expect(tab.asked[0]!.room).toBe(opened);
  await until(
    'all here',
    async () => !tab.sync.catchingUp() && (await spans(tab.db)).every(({ to }) => to === 2),
  );
});

test('S2 a welcome that could not be stored is requested again by a new connection', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const first = bench({ r: [text(1)] });
  let failing = true;
  const db = {
    ...first.db,
    write: ((stores, work) => {
      if (failing) return Promise.reject(new DOMException('lost', 'UnknownError'));
      return first.db.write(stores, work);
    }) as typeof first.db.write,
  };
  const tab = bench({ r: [text(1)] }, { db });
  void tab.connect();
  await until('unusable', () => tab.told.includes('unusable'));
  expect(await spans(tab.db)).toEqual([]);
  failing = false;
  tab.sync.down();
  await tab.connect();
  expect(await spans(tab.db)).toMatchObject([{ from: 1, to: 1 }]);
});

test('S2 entries with an invalid record fail only their room, though stored with others, until it is described again', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const tab = bench({ good: [text(1)], bad: [text(1)] });
  await tab.connect();
  grow(tab.logs.get('good')!, 1);
  const entry = { ...text(2), odd: () => {} }; // a function cannot be stored
  tab.logs.get('bad')!.push(entry);
  for (const room of ['bad', 'good'])
    tab.sync.frame({ event: 'entries', payload: { room, entries: tab.logs.get(room)!.slice(1), users: {} } });
  await tab.settled();
  expect(await spans(tab.db)).toMatchObject([
    { room: 'bad', to: 1 },
    { room: 'good', to: 2 },
  ]);
  expect([...tab.sync.failing().keys()]).toEqual(['bad']);
  expect([tab.told, tab.failures]).toEqual([[], []]);
  tab.sync.frame({ event: 'heads', payload: { bad: 2 } });
  await tab.settled();
  expect(tab.asked).toEqual([]); // it would be as invalid the next time
  tab.logs.get('bad')![1] = text(2);
  tab.sync.frame({ event: 'room', payload: { room: tab.describe('bad', { from: 3 }) } });
  await tab.settled();
  expect(tab.sync.failing().size).toBe(0);
  expect(await spans(tab.db)).toMatchObject([{ room: 'bad', to: 2 }, { room: 'good' }]);
});

test('S3 a newcomer sees ten texts with at most two ranges, however many joins came before or after them', async () => {
  const join = (serverOffset: number): Entry =>
    ({ ...text(serverOffset), kind: 'join', body: undefined }) as unknown as Entry;
  const shown = async (b: Bench) =>
    (await b.db.read(['logSpans', 'log', 'detached'], (tx) => readWindow(tx, ROOM, AT_NEWEST, []))).lines;
  for (const joinsAreFirst of [true, false]) {
    const log: Entry[] = [];
    const joins = () => {
      for (let i = 0; i < 20_000; i++) log.push(join(log.length + 1));
    };
    if (joinsAreFirst) joins();
    grow(log, 50);
    if (!joinsAreFirst) joins();
    const b = bench({ [ROOM]: log });
    await b.connect();
    await until('ten texts', async () => (await shown(b)).length >= 10);
    await b.settled();
    expect(b.asked.length).toBeLessThanOrEqual(2);
    const lines = await shown(b);
    expect(lines.length).toBeGreaterThanOrEqual(10);
    expect(lines.at(-1)).toMatchObject({
      body: `text ${log.findLast(({ kind }) => kind === 'text')!.serverOffset}`,
    });
    b.sync.close();
    b.db.close();
  }
});

test('S3 where few messages are spread over many joins, ranges are requested until ten messages show, and no longer', async () => {
  const log: Entry[] = [];
  for (let i = 1; i <= 3_000; i++)
    log.push(i % 150 === 1 ? text(i) : ({ ...text(i), kind: 'join', body: undefined } as unknown as Entry));
  const b = bench({ [ROOM]: log });
  await b.connect();
  const shown = async () =>
    (await b.db.read(['logSpans', 'log', 'detached'], (tx) => readWindow(tx, ROOM, AT_NEWEST, []))).lines;
  await until('ten texts', async () => (await shown()).length >= 10);
  await b.settled();
  expect((await shown()).length).toBeLessThan(15);
  expect(Math.min(...b.asked.map(({ from }) => from))).toBeGreaterThan(900); // not below the tenth before the catch-up
});

test('S2 S3 a small hole is filled after the catch-up, one range at a time, without being on the screen; a large one is not', async () => {
  const log: Entry[] = [];
  grow(log, 1_000);
  const b = bench({ [ROOM]: log });
  const held = [
    [1, 100],
    [401, 500],
    [516, 700],
    [721, 950],
  ].map(([from, to]) => ({ from: from!, to: to!, amendedTo: 950 }));
  await holdOf(b.db, log, held);
  let underWay = 0;
  const { answer } = b;
  b.answer = async (asked) => {
    underWay++;
    expect(underWay).toBe(1);
    expect(b.sync.catchingUp()).toBe(false);
    await turns(3);
    underWay--;
    return answer(asked);
  };
  await b.connect();
  const ends = async () => (await spans(b.db)).map(({ from, to }) => [from, to]);
  await until('filled', async () => (await ends()).length === 2);
  await b.settled();
  expect(await ends()).toEqual([
    [1, 100],
    [401, 1_000],
  ]);
});

test('S2 S3 two hundred missing entries are filled in small requests, not while the outbox sends or the person waits, nor on the screen', async () => {
  const log: Entry[] = [];
  grow(log, 1_000);
  let isSending = true;
  let isShown = true;
  const shown = () => (isShown ? { from: 700, to: Number.POSITIVE_INFINITY } : undefined);
  const b = bench({ [ROOM]: log }, { isSending: () => isSending, shown });
  const held = [
    [1, 100],
    [301, 400],
    [601, 700],
    [800, 950],
  ].map(([from, to]) => ({ from: from!, to: to!, amendedTo: 950 }));
  await holdOf(b.db, log, held);
  const ends = async () => (await spans(b.db)).map(({ from, to }) => [from, to]);
  await b.connect();
  expect(b.asked).toEqual([]);
  isSending = false;
  let answerOlder = () => {};
  const { answer } = b;
  b.answer = (asked) =>
    new Promise((resolve) => {
      answerOlder = () => resolve(answer(asked));
    });
  const older = b.sync.older(ROOM, 301);
  await until('requested', () => b.asked.length === 1);
  b.sync.fillHoles();
  await turns(20);
  expect(b.asked).toHaveLength(1);
  b.answer = answer;
  answerOlder();
  expect(await older).toBe(true);
  await until('filled', async () => (await ends()).length === 2);
  await b.settled();
  expect(Math.max(...b.asked.slice(1).map(({ from, to }) => to - from + 1))).toBeLessThanOrEqual(51);
  expect(await ends()).toEqual([
    [1, 700],
    [800, 1_000],
  ]);
  isShown = false; // another room is opened
  b.sync.fillHoles();
  await until('filled', async () => (await ends()).length === 1);
});

test('S2 one connection prefetches at most two thousand entries; the next goes on', async () => {
  const rooms = Array.from({ length: 15 }, (_, i) => `room ${i}`);
  const logs = Object.fromEntries(rooms.map((room): [string, Entry[]] => [room, []]));
  for (const log of Object.values(logs)) grow(log, 400);
  const b = bench(logs);
  for (const room of rooms)
    for (const [from, to] of [
      [1, 50],
      [251, 400],
    ]) {
      const entries = logs[room]!.slice(from! - 1, to);
      await store(b, { room, entries, amendments: [], amendedTo: 400, opens: true });
    }
  await b.connect();
  const prefetched = () => b.asked.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  await until('the limit', () => prefetched() >= 2_000);
  await b.settled();
  expect(prefetched()).toBeLessThan(2_000 + 51 * 2);
  b.sync.down();
  await b.connect();
  await until('all', async () => (await spans(b.db)).length === rooms.length);
});

function store({ db }: Bench, run: LogRun) {
  return db.write(SYNC_STORES, (tx) => storeEntries(tx, run));
}

test('S2 S3 a jump opens a span anywhere, with amendments up to the head, and joins the spans that it touches', async () => {
  const log: Entry[] = [];
  grow(log, 3_100);
  amend(log, 'edit', 60, 'changed');
  const b = bench({ [ROOM]: log });
  await holdOf(b.db, log, [{ from: 3_001, to: 3_100, amendedTo: 3_100 }]);
  await b.connect();
  b.asked.length = 0;
  expect(await b.sync.around(ROOM, 70)).toBe(true);
  expect(b.asked).toHaveLength(1);
  const [opened, newest] = await spans(b.db);
  expect(opened).toMatchObject({ from: 20, to: 119, amendedTo: log.length });
  expect(newest).toMatchObject({ from: 3_001, to: log.length });
  expect(await b.sync.around(ROOM, 125)).toBe(true);
  expect((await spans(b.db))[0]).toMatchObject({ from: 20, amendedTo: log.length });
  expect(await b.sync.around(ROOM, 125)).toBe(false); // it is stored
  expect(await b.sync.around(ROOM, 9_000)).toBe(false); // it does not exist
  const window = await b.db.read(['logSpans', 'log', 'detached'], (tx) =>
    readWindow(tx, ROOM, anchorAround(60), []),
  );
  expect(window.lines.find(({ serverOffset }) => serverOffset === 60)).toMatchObject({ body: 'changed' });
});

test('S1 S5 the read marker of the user on another device counts here, unless it is of a log that was deleted meanwhile', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const log: Entry[] = [];
  grow(log, 10);
  const { db, connect, sync, changes } = bench({ lobby: log });
  await connect();
  const readUpTo = async () =>
    (await db.read(['rooms'], (tx) => tx.objectStore('rooms').get('lobby')))!.readUpTo;
  const received = async (user: string, upTo: number) => {
    sync.frame({ event: 'read', payload: { room: 'lobby', user, upTo } });
    await turns();
  };
  changes.length = 0;
  await received(lin, 9);
  expect(await readUpTo()).toBe(0);
  await received(me, 4);
  await received(me, 3);
  expect(await readUpTo()).toBe(4);
  expect(changes).toEqual([{ type: 'marks', rooms: ['lobby'] }]);
  await db.write(SYNC_STORES, (tx) => forgetLog(tx, 'lobby')); // another tab
  await received(me, 8);
  expect(await readUpTo()).toBe(4);
});
