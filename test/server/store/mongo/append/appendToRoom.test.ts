/** The append algorithm: the exact commands of the ordinary cases, with their replies. */
import { describe, expect, it } from 'vitest';
import { appendToRoom } from '../../../../../server/store/mongo/append/appendToRoom.ts';
import type { Command } from '../../../../../server/store/mongo/append/commands.ts';
import { type Reply, runSteps } from '../../../../../server/store/mongo/append/commands.ts';
import type { NewEntry } from '../../../../../server/store/port.ts';
import {
  appended,
  awaitHead,
  converse,
  duplicate,
  find,
  found,
  head,
  INSERTED,
  insert,
  item,
  newest,
  ROOM,
  repeat,
  stored,
  text,
  UNKNOWN,
} from './converse.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => text(key)) as [NewEntry, NewEntry, NewEntry, NewEntry];

describe('the ordinary case', () => {
  it('L1 new texts at a known head are one insert and nothing else', () => {
    const outcome = converse({ items: [a, b, c], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6), stored(c, 7)), INSERTED],
    ]);
    expect(outcome).toEqual({
      results: [appended(5), appended(6), appended(7)],
      head: newest(7, 1_000),
      pending: [],
    });
  });

  it('L1 an unknown head is read first', () => {
    const outcome = converse({ items: [a] }, [
      [head(0), newest(0)],
      [insert(stored(a, 1)), INSERTED],
    ]);
    expect(outcome).toMatchObject({ results: [appended(1)], head: newest(1, 1_000) });
  });

  it('joins and leaves wait for their side effects', () => {
    const [join, leave] = [
      item({ clientOffset: 'j', kind: 'join' }),
      item({ clientOffset: 'l', kind: 'leave' }),
    ];
    const documents = [stored(join, 1, { pending: true }), stored(leave, 2, { pending: true })];
    const outcome = converse({ items: [join, leave], knownHead: 0 }, [[insert(...documents), INSERTED]]);
    expect(outcome.pending).toEqual(documents);
  });

  it('an empty request costs no query', () => {
    expect(converse({ items: [], knownHead: 4 }, [])).toMatchObject({ results: [], head: newest(4) });
  });

  it('runs to its end with an asynchronous executor', async () => {
    const steps = appendToRoom({
      room: ROOM,
      exists: true,
      items: [a],
      at: 1,
      knownHead: undefined,
    });
    const replies: Record<string, unknown> = { head: newest(2), insert: INSERTED };
    const outcome = await runSteps(steps, async (command) => replies[command.do] as never);
    expect(outcome.results).toEqual([{ tag: 'appended', serverOffset: 3, at: 1 }]);
  });
});

describe('times', () => {
  it('are never earlier than that of the newest entry, also if the clock has gone back', () => {
    const outcome = converse({ items: [a, b], knownHead: newest(4, 5_000) }, [
      [insert(stored(a, 5, { at: 5_000 }), stored(b, 6, { at: 5_000 })), INSERTED],
    ]);
    expect(outcome).toMatchObject({
      results: [appended(5, 5_000), appended(6, 5_000)],
      head: newest(6, 5_000),
    });
  });

  it('are those of the clock if that is ahead', () => {
    converse({ items: [a], knownHead: newest(4, 999) }, [[insert(stored(a, 5)), INSERTED]]);
  });

  it('after another process’s entry no time is earlier: known by the tail, a read, or a repeat', () => {
    const late = (serverOffset: number) => insert(stored(a, serverOffset, { at: 5_000 }));
    const lost: [Command, Reply] = [insert(stored(a, 5)), duplicate('serverOffset')];
    converse({ items: [a], knownHead: 4 }, [lost, [awaitHead(4), newest(7, 5_000)], [late(8), INSERTED]]);
    converse({ items: [a], knownHead: 4 }, [
      lost,
      [awaitHead(4), undefined], // its serverOffset may be known, but not its time
      [head(4), newest(7, 5_000)],
      [late(8), INSERTED],
    ]);
    converse({ items: [b, a], knownHead: 4 }, [
      [insert(stored(b, 5), stored(a, 6)), duplicate('clientOffset')],
      [find(4, b, a), [found(b, 7, { at: 5_000 }), undefined]],
      [late(8), INSERTED],
    ]);
  });

  it('an unknown head is read with its time', () => {
    converse({ items: [a] }, [
      [head(0), newest(3, 5_000)],
      [insert(stored(a, 4, { at: 5_000 })), INSERTED],
    ]);
  });
});

describe('a lost race', () => {
  it('L1 L2 the next serverOffsets wait until the other entry is committed, as the tail reports', () => {
    const outcome = converse({ items: [a, b, c], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6), stored(c, 7)), duplicate('serverOffset', 1)],
      [awaitHead(5), newest(8)],
      [insert(stored(b, 9), stored(c, 10)), INSERTED],
    ]);
    expect(outcome).toMatchObject({
      results: [appended(5), appended(9), appended(10)],
      head: newest(10, 1_000),
    });
  });

  it('L1 L2 where the tail reports nothing, the head is read; if it has not moved, the same serverOffset is tried again', () => {
    converse({ items: [a], knownHead: 4 }, [
      [insert(stored(a, 5)), duplicate('serverOffset')],
      [awaitHead(4), newest(4)],
      [head(4), newest(4)],
      [insert(stored(a, 5)), duplicate('serverOffset')],
      [awaitHead(4, 8), newest(4)],
      [head(4), newest(6)],
      [insert(stored(a, 7)), INSERTED],
    ]);
  });
});

describe('repeats', () => {
  it('L3 a batch whose acknowledgement was lost costs one insert and one lookup', () => {
    const outcome = converse({ items: [a, b, c], knownHead: 9 }, [
      [insert(stored(a, 10), stored(b, 11), stored(c, 12)), duplicate('clientOffset')],
      [find(9, a, b, c), [found(a, 5), found(b, 6), found(c, 7)]],
    ]);
    expect(outcome).toMatchObject({ results: [repeat(5), repeat(6), repeat(7)], head: newest(9) });
  });

  it('L1 L3 a repeat uses no serverOffset', () => {
    const outcome = converse({ items: [a, b, c, d], knownHead: 9 }, [
      [insert(stored(a, 10), stored(b, 11), stored(c, 12), stored(d, 13)), duplicate('clientOffset', 1)],
      [find(10, b, c, d), [found(b, 3), undefined, undefined]],
      [insert(stored(c, 11), stored(d, 12)), INSERTED],
    ]);
    expect(outcome.results).toEqual([appended(10), repeat(3), appended(11), appended(12)]);
  });

  it('L3 an original after the known head moves it', () => {
    const outcome = converse({ items: [a, b], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6)), duplicate('clientOffset')],
      [find(4, a, b), [found(a, 5), undefined]],
      [insert(stored(b, 6)), INSERTED],
    ]);
    expect(outcome).toMatchObject({ results: [repeat(5), appended(6)], head: newest(6, 1_000) });
  });

  it('L3 an own insert that arrives after it was given up is recognised, whichever index reports it', () => {
    converse({ items: [a, b], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6)), duplicate('serverOffset')],
      [awaitHead(4), newest(6)],
      [insert(stored(a, 7), stored(b, 8)), duplicate('clientOffset')],
      [find(6, a, b), [found(a, 5), found(b, 6)]],
    ]);
  });

  it('L3 L5 an original that is not committed delays later items; if it is rolled back, the item is inserted again', () => {
    const outcome = converse({ items: [a, b], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6)), duplicate('clientOffset')],
      [find(4, a, b), [undefined, undefined]],
      [awaitHead(4), newest(4)],
      [head(4), newest(4)],
      [insert(stored(a, 5), stored(b, 6)), INSERTED],
    ]);
    expect(outcome.results).toEqual([appended(5), appended(6)]);
  });

  it('L3 other content with the same key is a conflict, and does not delay other items', () => {
    const outcome = converse({ items: [a, b], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6)), duplicate('clientOffset')],
      [find(4, a, b), [found(text('a', 'other'), 2), undefined]],
      [insert(stored(b, 5)), INSERTED],
    ]);
    expect(outcome.results).toEqual([{ tag: 'conflict' }, appended(5)]);
  });

  it('L3 within a batch, the first item with a key becomes the entry', () => {
    const outcome = converse({ items: [a, a, text('a', 'other'), b], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6)), INSERTED],
    ]);
    expect(outcome.results).toEqual([appended(5), repeat(5, 1_000), { tag: 'conflict' }, appended(6)]);
  });

  it('L3 pending side effects of an original are applied', () => {
    const join = item({ clientOffset: 'j', kind: 'join' });
    const outcome = converse({ items: [join], knownHead: 4 }, [
      [insert(stored(join, 5, { pending: true })), duplicate('clientOffset')],
      [find(4, join), [found(join, 3, { pending: true })]],
    ]);
    expect(outcome.pending).toEqual([stored(join, 3, { at: 7, pending: true })]);
  });
});

describe('refused items and unknown outcomes', () => {
  it('L5 an item that the database refuses fails alone, and uses no serverOffset', () => {
    const outcome = converse({ items: [a, b, c], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6), stored(c, 7)), { tag: 'refused', inserted: 1, message: 'no' }],
      [find(5, b), [undefined]],
      [insert(stored(c, 6)), INSERTED],
    ]);
    expect(outcome.results).toEqual([appended(5), { tag: 'failed', message: 'no' }, appended(6)]);
  });

  it('L3 if the first item with a key is refused, the next one is tried in its order', () => {
    const outcome = converse({ items: [a, b, text('a', 'other')], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6)), { tag: 'refused', inserted: 0, message: 'no' }],
      [find(4, a), [undefined]],
      [insert(stored(b, 5), stored(text('a', 'other'), 6)), INSERTED],
    ]);
    expect(outcome.results).toEqual([{ tag: 'failed', message: 'no' }, appended(5), appended(6)]);
  });

  it('L3 the key comes first: an item that would be refused is a conflict if its key is used', () => {
    const outcome = converse({ items: [a], knownHead: 4 }, [
      [insert(stored(a, 5)), { tag: 'refused', inserted: 0, message: 'no' }],
      [find(4, a), [found(text('a', 'other'), 2)]],
    ]);
    expect(outcome.results).toEqual([{ tag: 'conflict' }]);
  });

  it('L4 an unknown outcome stops the batch, nothing later is tried, and the head is read again', () => {
    const outcome = converse({ items: [a, b], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6)), UNKNOWN],
    ]);
    expect(outcome).toMatchObject({ results: [], head: undefined });
    expect(outcome.stopped?.message).toBe('the connection was lost');
  });

  it('L4 items that were durable before get results', () => {
    const outcome = converse({ items: [a, b, c], knownHead: 4 }, [
      [insert(stored(a, 5), stored(b, 6), stored(c, 7)), duplicate('serverOffset', 1)],
      [awaitHead(5), newest(6)],
      [insert(stored(b, 7), stored(c, 8)), UNKNOWN],
    ]);
    expect(outcome.results).toEqual([appended(5)]);
    expect(outcome.stopped).toBeDefined();
  });

  it.each([
    ['the first head', {}, [[head(0), UNKNOWN]]],
    [
      'the head after a lost race',
      { knownHead: 4 },
      [
        [insert(stored(a, 5), stored(b, 6)), duplicate('serverOffset')],
        [awaitHead(4), newest(4)],
        [head(4), UNKNOWN],
      ],
    ],
    [
      'the original',
      { knownHead: 4 },
      [
        [insert(stored(a, 5), stored(b, 6)), duplicate('clientOffset')],
        [find(4, a, b), UNKNOWN],
      ],
    ],
  ] as [string, { knownHead?: number }, Parameters<typeof converse>[1]][])(
    'L4 it stops where %s cannot be read',
    (_, known, talk) => {
      const outcome = converse({ items: [a, b], ...known }, talk);
      expect(outcome).toMatchObject({ results: [], head: undefined });
      expect(outcome.stopped).toBeDefined();
    },
  );
});
