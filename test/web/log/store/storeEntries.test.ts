import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { openUserDatabase, type UserDatabase } from '../../../../web/db/userDatabase.ts';
import { applyFrame, storeRoom, storeWelcome } from '../../../../web/log/store/applyFrames.ts';
import { StaleLogError } from '../../../../web/log/store/generation.ts';
import type { LogRun } from '../../../../web/log/store/storeEntries.ts';
import { enqueue } from '../../../../web/outbox/enqueue.ts';
import { spanAt } from '../../../../web/records/spans.ts';
import { runsOf } from '../../../support/runs.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { ROOM } from '../../outbox/support.ts';
import { mint } from '../../state/modelServer.ts';
import { userOf, welcomeOf } from '../../welcome.ts';

import 'fake-indexeddb/auto';

const [me, lin] = [mint(), mint()];
const open = () => openUserDatabase(new IDBFactory(), createFakeClock(), me);

const text = (serverOffset: number, body = `text ${serverOffset}`): Entry => ({
  serverOffset,
  author: lin,
  clientOffset: mint(),
  at: serverOffset,
  kind: 'text',
  body,
});

const change = (kind: 'edit' | 'delete', serverOffset: number, target: number): Entry =>
  ({
    ...text(serverOffset),
    kind,
    target,
    ...(kind === 'edit' ? { body: `text ${target} changed` } : { body: undefined }),
  }) as Entry;

function incoming(entries: Entry[], rest: Partial<LogRun> = {}): LogRun {
  return {
    room: ROOM,
    entries,
    amendments: [],
    amendedTo: entries.at(-1)!.serverOffset,
    opens: false,
    ...rest,
  };
}

async function all(db: UserDatabase) {
  return db.read(['log', 'logSpans', 'detached', 'rooms'], async (tx) => ({
    entries: await tx.objectStore('log').getAll(),
    spans: await tx.objectStore('logSpans').getAll(),
    loose: await tx.objectStore('detached').getAll(),
  }));
}

test('S1 an aborted transaction leaves entries and spans unchanged', async () => {
  const db = open();
  await applyFrame(db, me, incoming([text(1), text(2)]), {});
  const before = await all(db);
  const cut: UserDatabase = {
    ...db,
    write: (stores, work) =>
      db.write(stores, async (tx) => {
        await work(tx);
        tx.abort();
        return undefined as never;
      }),
  };
  await expect(applyFrame(cut, me, incoming([text(3)]), {})).rejects.toThrow();
  expect(await all(db)).toEqual(before);
});

test('S2 a run that would leave a hole is not covered by a span; its amendments are stored as detached entries', async () => {
  const db = open();
  await applyFrame(db, me, incoming([text(1), text(2)]), {});
  expect((await applyFrame(db, me, incoming([text(4), change('delete', 5, 1)]), {})).stored).toBe(false);
  const { entries, spans, loose } = await all(db);
  expect(spans).toMatchObject([{ from: 1, to: 2 }]);
  expect(entries[0]).toMatchObject({ serverOffset: 1, deleted: true });
  expect(entries[0]).not.toHaveProperty('body');
  expect(loose).toMatchObject([{ kind: 'delete', serverOffset: 5 }]);
});

test('a deletion also redacts the edits, wherever they are stored, and a repeated frame restores nothing', async () => {
  const db = open();
  const first = [text(1, 'secret'), change('edit', 2, 1), text(3)];
  await applyFrame(db, me, incoming(first), {});
  await applyFrame(db, me, incoming([change('delete', 4, 1)]), {});
  await applyFrame(db, me, incoming(first), {});
  const held = JSON.stringify(await all(db));
  expect(held).not.toContain('secret');
  expect(held).not.toContain('text 1 changed');
});

test('S3 later amendments of a filled hole are stored as detached entries, and move into a span that covers them later', async () => {
  const db = open();
  const deletion = change('delete', 90, 2);
  await applyFrame(db, me, incoming([text(1), text(2)], { amendments: [deletion], amendedTo: 95 }), {});
  expect((await all(db)).loose).toMatchObject([{ serverOffset: 90 }]);
  expect((await all(db)).spans).toMatchObject([{ from: 1, to: 2, amendedTo: 95 }]);
  await applyFrame(db, me, incoming([text(89), deletion], { opens: true }), {});
  expect((await all(db)).loose).toEqual([]);
});

test("S1 a reset deletes the room's log, another epoch deletes all logs; rows and drafts stay", async () => {
  const db = open();
  const room = {
    id: ROOM,
    kind: 'public',
    name: 'Lobby',
    head: 1,
    from: 2,
    readUpTo: 0,
    members: 1,
  } as const;
  const user = userOf(me, 'Mika');
  await storeWelcome(db, welcomeOf(user, [room], { epoch: 'a' }));
  await applyFrame(db, me, incoming([text(1)]), {});
  await db.write(['drafts'], (tx) => tx.objectStore('drafts').put({ room: ROOM, text: 'about' }));
  await storeWelcome(db, welcomeOf(user, [room], { epoch: 'a' }));
  expect((await all(db)).entries).toHaveLength(1);
  await storeRoom(db, { ...room, reset: true });
  expect(await all(db)).toEqual({ entries: [], spans: [], loose: [] });
  await applyFrame(db, me, incoming([text(1)]), {});
  await storeWelcome(db, welcomeOf(user, [room], { epoch: 'b' }));
  expect(await all(db)).toEqual({ entries: [], spans: [], loose: [] });
  expect(await db.read(['drafts'], (tx) => tx.objectStore('drafts').count())).toBe(1);
});

test('S1 after any frames the spans cover exactly the stored entries, and no deleted body is stored', async () => {
  const log: Entry[] = [];
  for (let i = 1; i <= 40; i++) {
    const target = [...log].reverse().find((entry) => entry.kind === 'text')?.serverOffset ?? 1;
    if (i % 7 === 5) log.push(change('edit', i, target));
    else if (i % 7 === 6) log.push(change('delete', i, target));
    else log.push(text(i));
  }
  const targets = log.flatMap((entry) =>
    entry.kind === 'delete' ? [(entry as { target: number }).target] : [],
  );
  const frame = fc.record({
    from: fc.integer({ min: 1, max: 40 }),
    length: fc.integer({ min: 1, max: 9 }),
    ranged: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 12 }), async (frames) => {
      const db = open();
      for (const { from, length, ranged } of frames) {
        const entries = log.slice(from - 1, from - 1 + length);
        const to = entries.at(-1)!.serverOffset;
        const amendments = log.filter(
          (entry) =>
            'target' in entry &&
            (entry.target as number) >= from &&
            (entry.target as number) <= to &&
            entry.serverOffset > to,
        );
        const rest = ranged ? { amendments, amendedTo: 40, opens: to === 40 } : { opens: from % 10 === 0 };
        await applyFrame(db, me, incoming(entries, rest), {});
      }
      const { entries, spans, loose } = await all(db);
      const held = new Set(entries.map((entry) => entry.serverOffset));
      for (let offset = 1; offset <= 40; offset++)
        expect(spanAt(spans, offset) !== undefined).toBe(held.has(offset));
      const known = new Set(
        [...entries, ...loose].flatMap((entry) =>
          entry.kind === 'delete' ? (entry as { target: number }).target : [],
        ),
      );
      for (const entry of [...entries, ...loose]) {
        const about = 'target' in entry ? (entry.target as number) : entry.serverOffset;
        if (known.has(about) && targets.includes(about) && entry.kind !== 'delete')
          expect(entry).not.toHaveProperty('body');
      }
      for (const { serverOffset } of loose) expect(spanAt(spans, serverOffset)).toBeUndefined();
      db.close();
    }),
    { seed: 23, numRuns: runsOf('entries that are held') },
  );
});

test('O4 a reset deletes the target offsets of outbox rows, not their texts: no row amends an entry of another author', async () => {
  for (const reset of ['room', 'epoch'] as const) {
    const db = open();
    const welcome = (epoch: string, more = {}) =>
      storeWelcome(
        db,
        welcomeOf(
          userOf(me, 'me'),
          [{ id: ROOM, kind: 'public', name: 'r', head: 1, from: 1, readUpTo: 0, members: 2, ...more }],
          { epoch },
        ),
      );
    await welcome('one');
    const [target, clientOffset] = [mint(), mint()];
    await enqueue(db, { kind: 'edit', target, targetOffset: 4, body: 'b', room: ROOM, clientOffset, at: 1 });
    await welcome(reset === 'epoch' ? 'two' : 'one', reset === 'room' ? { reset: true } : {});
    const [row] = await db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
    expect(row).toMatchObject({ kind: 'edit', target, body: 'b', clientOffset });
    expect(row).not.toHaveProperty('targetOffset');
    db.close();
  }
});

test('S1 S5 after one tab has reset a log that was restored by hand, frames in flight in another tab are not stored', async () => {
  const db = open();
  const room = { id: ROOM, kind: 'public', name: 'r', head: 9, from: 1, readUpTo: 0, members: 2 } as const;
  const welcome = welcomeOf(userOf(me, 'me'), [room], { epoch: 'a' });
  const put = { ...welcome, rooms: [{ ...room, head: 2, reset: true as const }] };
  await storeWelcome(db, welcome);
  const [slow, quick, late] = Array.from({ length: 3 }, () => ({ epoch: 'a', generation: 0 }));
  await applyFrame(db, me, incoming([text(1)]), {}, slow);
  await storeWelcome(db, put, new Map(), quick);
  await applyFrame(db, me, incoming([text(1, 'other')]), {}, quick); // its own deletion does not invalidate its frames
  for (const stale of [
    () => applyFrame(db, me, incoming([text(2)]), {}, slow),
    () => storeRoom(db, room, new Map(), slow),
    () => storeWelcome(db, welcome, new Map(), late),
  ])
    await expect(stale()).rejects.toThrow(StaleLogError);
  expect(await all(db)).toMatchObject({ entries: [{ serverOffset: 1, body: 'other' }] });
  db.close();
});

test('S1 nothing of an answer of another epoch is stored', async () => {
  const db = open();
  await db.write(['meta'], async (tx) => void (await tx.objectStore('meta').put('new', 'epoch')));
  const [before, now] = ['old', 'new'].map((epoch) => ({ epoch, generation: 0 }));
  await expect(applyFrame(db, me, incoming([text(1)]), {}, before)).rejects.toThrow(StaleLogError);
  expect(await all(db)).toEqual({ entries: [], spans: [], loose: [] });
  expect((await applyFrame(db, me, incoming([text(1)]), {}, now)).stored).toBe(true);
  db.close();
});

test('S1 a restored log is detected at the first overlap, also with detached entries', async () => {
  for (const where of ['span', 'loose'] as const) {
    const db = open();
    const change4 = change('delete', 4, 1);
    await applyFrame(
      db,
      me,
      incoming([text(1, 'old'), text(2)], { amendments: [change4], amendedTo: 9 }),
      {},
    );
    const key = mint();
    await enqueue(db, {
      kind: 'edit',
      target: mint(),
      targetOffset: 2,
      body: 'b',
      room: ROOM,
      clientOffset: key,
      at: 1,
    });
    const other = where === 'span' ? [text(2, 'new'), text(3)] : [text(4, 'new'), text(5)];
    expect(await applyFrame(db, me, incoming(other), {})).toMatchObject({ stored: true, isRestored: true });
    const { entries, spans, loose } = await all(db);
    expect(entries.map(({ serverOffset }) => serverOffset)).toEqual(other.map((entry) => entry.serverOffset));
    expect(spans).toMatchObject([{ from: other[0]!.serverOffset, to: other[1]!.serverOffset }]);
    expect(loose).toEqual([]);
    const [row] = await db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
    expect(row).toMatchObject({ clientOffset: key, body: 'b' });
    expect(row).not.toHaveProperty('targetOffset');
    db.close();
  }
});

test('S1 a repeated run is the same log: nothing is deleted', async () => {
  const db = open();
  const log = [text(1), text(2), text(3)];
  await applyFrame(db, me, incoming(log.slice(0, 2)), {});
  expect(await applyFrame(db, me, incoming(log.slice(1)), {})).toMatchObject({
    stored: true,
    isRestored: false,
  });
  expect((await all(db)).spans).toMatchObject([{ from: 1, to: 3 }]);
  db.close();
});

test('S3 an entry that arrives redacted redacts its stored edits', async () => {
  const db = open();
  const first = [text(1, 'secret'), change('edit', 2, 1), text(3)];
  await applyFrame(db, me, incoming(first), {});
  const { body: _, ...blank } = first[0] as Entry & { body: string };
  await applyFrame(db, me, incoming([{ ...blank, deleted: true } as Entry]), {});
  const held = JSON.stringify(await all(db));
  expect(held).not.toContain('secret');
  expect(held).not.toContain('text 1 changed');
  db.close();
});
