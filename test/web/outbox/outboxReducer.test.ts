import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Acknowledgement, Item } from '../../../shared/protocol/index.ts';
import { nextBatch, type Verdict } from '../../../web/outbox/appendBatch.ts';
import {
  FRESH,
  isAnyRoomPaused,
  type Outbox,
  type OutboxEffect,
  type OutboxEvent,
  reduceOutbox,
} from '../../../web/outbox/outboxReducer.ts';
import { isWaiting, itemOf, type Row, applyRowEvent as stepRow } from '../../../web/records/row.ts';
import { runsOf } from '../../support/runs.ts';
import { key, text } from './support.ts';

const half = () => 0.5;

function run(...events: OutboxEvent[]): [Outbox, OutboxEffect[]] {
  return events.reduce<[Outbox, OutboxEffect[]]>(
    ([outbox], event) => reduceOutbox(outbox, event, half),
    [FRESH, []],
  );
}

const types = (effects: OutboxEffect[]) => effects.map(({ type }) => type);
const items: Item[] = [itemOf(text(1))];
const sent: OutboxEvent[] = [{ type: 'up' }, { type: 'locked' }, { type: 'marked', items, bytes: 5_000 }];

const answer: Extract<Acknowledgement<'append'>, { ok: true }> = {
  ok: true,
  epoch: 'e',
  results: [{ clientOffset: key(1), serverOffset: 4, at: 40 }],
};

const answered = (attempt: number, its: Acknowledgement<'append'> = answer): OutboxEvent => ({
  type: 'answered',
  attempt,
  sent: items,
  answer: its,
});

describe('one append', () => {
  test('nothing is done without a connection, and the lock is requested only with one', () => {
    expect(types(run({ type: 'rows' })[1])).toEqual([]);
    expect(types(run({ type: 'rows' }, { type: 'up' })[1])).toEqual(['lock']);
  });
  test('O4 rows are marked before they are sent', () => {
    expect(types(run({ type: 'up' }, { type: 'locked' })[1])).toEqual(['mark']);
    expect(run(...sent)[1]).toMatchObject([{ type: 'emit', attempt: 1, timeoutMs: 11_000 }]);
  });
  test('S5 with nothing to send the lock is released', () => {
    expect(
      types(run({ type: 'up' }, { type: 'locked' }, { type: 'marked', items: [], bytes: 0 })[1]),
    ).toEqual(['unlock']);
  });
  test('S5 O2 if all rows that wait were sent, the lock is released after the answer; not if one is left, or queued meanwhile', () => {
    const all: OutboxEvent[] = [...sent.slice(0, 2), { type: 'marked', items, bytes: 5_000, isAll: true }];
    expect(types(run(...all, answered(1), { type: 'stored', isLeft: false })[1])).toEqual(['unlock']);
    expect(types(run(...all, answered(1), { type: 'stored', isLeft: true })[1])).toEqual(['mark']);
    expect(types(run(...all, { type: 'rows' }, answered(1), { type: 'stored' })[1])).toEqual(['mark']);
    const meanwhile: OutboxEvent[] = [...sent.slice(0, 2), { type: 'rows' }, all[2]!];
    expect(types(run(...meanwhile, answered(1), { type: 'stored' })[1])).toEqual(['mark']);
    const unanswered: OutboxEvent[] = [
      ...all,
      { type: 'timeout', attempt: 1 },
      { type: 'stored', isLeft: true },
    ];
    expect(types(run(...unanswered, { type: 'pause-over' })[1])).toEqual(['lock']);
  });
  test('L5 rows queued meanwhile wait for the answer', () => {
    expect(types(run(...sent, { type: 'rows' })[1])).toEqual([]);
    expect(types(run(...sent, { type: 'rows' }, answered(1), { type: 'stored' })[1])).toEqual(['mark']);
  });
  test('O3 a lost connection leaves rows `checking`, and releases the lock', () => {
    expect(run(...sent, { type: 'down' })[1]).toMatchObject([
      { type: 'unlock' },
      { type: 'store', verdicts: [{ type: 'unanswered' }] },
    ]);
    expect(types(run(...sent, { type: 'down' }, { type: 'stored' })[1])).toEqual([]);
  });
  test('S4 a timeout leaves rows `checking` and reports the connection as suspect', () => {
    const [, effects] = run(...sent, { type: 'timeout', attempt: 1 });
    expect(types(effects)).toEqual(['store', 'suspect']);
    expect(types(run(...sent, { type: 'timeout', attempt: 1 }, { type: 'stored' })[1])).toEqual([
      'unlock',
      'pause',
    ]);
  });
  test('a late answer still settles rows; what it refuses is left to the attempt that followed', () => {
    const late = run(...sent, { type: 'timeout', attempt: 1 }, { type: 'stored' }, answered(1));
    expect(late[1]).toMatchObject([{ type: 'store-late', verdicts: [{ type: 'acknowledged' }] }]);
    const refused: Acknowledgement<'append'> = { ok: false, error: { code: 'forbidden', message: '' } };
    expect(
      run(...sent, { type: 'timeout', attempt: 1 }, { type: 'stored' }, answered(1, refused))[1],
    ).toEqual([]);
  });
  test('O2 a new connection ends a pause, unless the server ordered it', () => {
    const busy = (retryAfter?: number): Acknowledgement<'append'> => ({
      ok: false,
      error: { code: 'unavailable', message: '', ...(retryAfter === undefined ? {} : { retryAfter }) },
    });
    expect(types(run(...sent, answered(1, busy()), { type: 'stored' }, { type: 'up' })[1])).toEqual(['lock']);
    expect(types(run(...sent, answered(1, busy(9)), { type: 'stored' }, { type: 'up' })[1])).toEqual([]);
    expect(types(run(...sent, answered(1, busy(9)), { type: 'stored' }, { type: 'pause-over' })[1])).toEqual([
      'mark',
    ]);
  });
  test('an expired session stops the outbox until the next connection', () => {
    const over: Acknowledgement<'append'> = { ok: false, error: { code: 'unauthorized', message: '' } };
    const [outbox, effects] = run(...sent, answered(1, over), { type: 'stored' });
    expect(types(effects)).toEqual(['unlock', 'stopped']);
    expect(types(reduceOutbox(outbox, { type: 'rows' }, half)[1])).toEqual([]);
    expect(types(reduceOutbox(outbox, { type: 'up' }, half)[1])).toEqual(['lock']);
  });
  test('a database that fails is retried after a pause', () => {
    const failing: OutboxEvent[] = [{ type: 'up' }, { type: 'locked' }, { type: 'database-failed' }];
    expect(types(run(...failing)[1])).toEqual(['unlock', 'pause']);
    expect(types(run(...failing, { type: 'pause-over' })[1])).toEqual(['lock']);
  });
  test('a late answer that comes during the next attempt does not end that one', () => {
    const again: OutboxEvent[] = [
      { type: 'timeout', attempt: 1 },
      { type: 'stored' },
      { type: 'pause-over' },
      { type: 'locked' },
      { type: 'marked', items, bytes: 5_000 },
    ];
    const [outbox, effects] = run(...sent, ...again, answered(1));
    expect(types(effects)).toEqual(['store-late']);
    expect(outbox.work).toMatchObject({ tag: 'sending', attempt: 2 });
  });
  test('O2 an answer that acknowledges something resets the backoff', () => {
    const busy: Acknowledgement<'append'> = { ok: false, error: { code: 'unavailable', message: '' } };
    const marked: OutboxEvent = { type: 'marked', items, bytes: 5_000 };
    const failing = (attempt: number): OutboxEvent[] => [
      answered(attempt, busy),
      { type: 'stored' },
      { type: 'pause-over' },
      { type: 'locked' },
      marked,
    ];
    const failed = [...sent, ...failing(1), ...failing(2)];
    expect(run(...failed)[0].failures).toBe(2);
    expect(run(...failed, answered(3))[0].failures).toBe(0);
  });
});

describe('O2 a room that fails by itself', () => {
  const [one, two, three] = [1, 2, 3].map((n) => itemOf({ ...text(n), room: `room ${n}` })) as [
    Item,
    Item,
    Item,
  ];
  const began: OutboxEvent[] = [{ type: 'up' }, { type: 'locked' }];
  const marked = (...its: Item[]): OutboxEvent => ({ type: 'marked', items: its, bytes: 100 });
  const results = (
    attempt: number,
    its: Item[],
    fates: ('ok' | 'unavailable' | 'internal')[],
    stopped?: string,
  ): OutboxEvent => ({
    type: 'answered',
    attempt,
    sent: its,
    answer: {
      ok: true,
      epoch: 'e',
      results: fates.map((fate, i) => {
        const { clientOffset } = its[i]!;
        if (fate === 'ok') return { clientOffset, serverOffset: 1, at: 1 };
        return { clientOffset, error: { code: fate, message: '' } };
      }),
      ...(stopped ? { stopped: { code: stopped, message: '' } } : {}),
    },
  });
  const without = (effects: OutboxEffect[]) =>
    effects.flatMap((effect) => (effect.type === 'mark' ? [[...effect.without]] : []));

  test.each(['unavailable', 'internal'] as const)(
    'whose item is answered with %s is paused, and the others go on at once',
    (fate) => {
      const events = [...began, marked(one, two), results(1, [one, two], [fate, 'ok'])];
      expect(types(run(...events)[1])).toEqual(['store', 'pause-room']);
      expect(without(run(...events, { type: 'stored' })[1])).toEqual([['room 1']]);
      const [idle, effects] = run(...events, { type: 'stored' }, marked());
      expect(types(effects)).toEqual(['unlock']);
      expect(isAnyRoomPaused(idle)).toBe(true);
      expect(types(reduceOutbox(idle, { type: 'room-pause-over', room: 'room 1' }, half)[1])).toEqual([
        'lock',
      ]);
      expect(
        without(run(...events, { type: 'stored' }, { type: 'room-pause-over', room: 'room 1' }, marked())[1]),
      ).toEqual([[]]);
    },
  );

  test('is paused longer each time, and no longer fails once an item is acknowledged', () => {
    const fail = (attempt: number): OutboxEvent[] => [
      marked(one),
      results(attempt, [one], ['unavailable']),
      { type: 'stored' },
      marked(),
      { type: 'room-pause-over', room: 'room 1' },
      { type: 'locked' },
    ];
    const pauseAfter = (events: OutboxEvent[], attempt: number) =>
      run(...began, ...events, marked(one), results(attempt, [one], ['unavailable']))[1].find(
        ({ type }) => type === 'pause-room',
      );
    expect(pauseAfter([], 1)).toMatchObject({ ms: 375 });
    expect(pauseAfter([...fail(1), ...fail(2)], 3)).toMatchObject({ ms: 1_500 });
    const mended = run(...began, ...fail(1), marked(one), results(2, [one], ['ok']))[0];
    expect(mended.rooms.size).toBe(0);
  });

  test('at which the server stops is sent last, until items of other rooms have succeeded', () => {
    const stopped = [
      ...began,
      marked(one, two),
      results(1, [one, two], [], 'unavailable'),
      { type: 'stored' } as const,
    ];
    expect(types(run(...stopped)[1])).toEqual(['unlock', 'pause']);
    const afterPause: OutboxEvent[] = [...stopped, { type: 'pause-over' }, { type: 'locked' }];
    expect(without(run(...afterPause)[1])).toEqual([['room 1']]);
    const others: OutboxEvent[] = [...afterPause, marked(two), results(2, [two], ['ok']), { type: 'stored' }];
    expect(without(run(...others)[1])).toEqual([['room 1']]);
    const last: OutboxEvent[] = [...others, marked()];
    expect(without(run(...last)[1])).toEqual([[]]);
    const again = [...last, marked(one), results(3, [one], [], 'unavailable')];
    expect(types(run(...again)[1])).toEqual(['store', 'pause-room']);
    expect(without(run(...again, { type: 'stored' })[1])).toEqual([['room 1']]); // at once: the drain is not paused
  });

  test('at which the server stops after acknowledged items is paused alone at once', () => {
    const events = [...began, marked(one, two, three), results(1, [one, two, three], ['ok'], 'unavailable')];
    expect(run(...events)[1]).toMatchObject([{ type: 'store' }, { type: 'pause-room', room: 'room 2' }]);
    expect(without(run(...events, { type: 'stored' })[1])).toEqual([['room 2']]);
  });

  test('is not paused because of a rate limit, which concerns the user', () => {
    const events = [...began, marked(one, two), results(1, [one, two], ['ok'], 'rate-limited')];
    expect(types(run(...events, { type: 'stored' })[1])).toEqual(['unlock', 'pause']);
    expect(run(...events)[0].rooms.size).toBe(0);
  });

  test('is retried at once over a new connection', () => {
    const events = [
      ...began,
      marked(one),
      results(1, [one], ['unavailable']),
      { type: 'stored' } as const,
      marked(),
    ];
    expect(without(run(...events, { type: 'down' }, { type: 'up' }, { type: 'locked' })[1])).toEqual([[]]);
  });
});

describe('how much one append carries', () => {
  const timeout = (attempt: number): OutboxEvent[] => [
    { type: 'timeout', attempt },
    { type: 'stored' },
    { type: 'pause-over' },
    { type: 'locked' },
  ];
  const marked = (bytes: number): OutboxEvent => ({ type: 'marked', items, bytes });
  const next = (attempt: number, bytes: number): OutboxEvent[] => [
    answered(attempt),
    { type: 'stored' },
    marked(bytes),
  ];

  test('O2 the batch size is halved after a timeout and doubled after an answered full batch; one item is always sent', () => {
    const slow = [...sent, ...timeout(1)];
    expect(run(...slow)[1]).toMatchObject([{ type: 'mark', limits: { items: 100, bytes: 8 * 1024 } }]);
    const slower = Array.from({ length: 12 }, (_, i) => [marked(900), ...timeout(i + 2)]).flat();
    const [narrow, effects] = run(...slow, ...slower);
    expect(effects).toMatchObject([{ type: 'mark', limits: { bytes: 1024 } }]);
    expect(
      nextBatch([text(1, 'é'.repeat(4_000)), text(2)], { items: 100, bytes: narrow.batchBytes }),
    ).toHaveLength(1);
    const wide = [
      ...sent,
      ...next(1, 16_000),
      ...next(2, 32_000),
      ...next(3, 48_000),
      answered(4),
      { type: 'stored' } as const,
    ];
    expect(run(...wide)[1]).toMatchObject([{ type: 'mark', limits: { bytes: 48 * 1024 } }]);
  });
  test('O2 short batches and late answers do not change the batch size', () => {
    expect(run(...sent, answered(1))[0].batchBytes).toBe(16 * 1024); // 5 kB of 16 kB
    expect(run(...sent, ...timeout(1), answered(1))[0].batchBytes).toBe(8 * 1024);
  });
  test('O2 a connection that ends before the answer halves the batch size, too', () => {
    expect(run(...sent, { type: 'down' })[0].batchBytes).toBe(8 * 1024);
  });
  test('S4 the timeout is ten seconds, and the time of its bytes at 5 kB/s', () => {
    const [, effects] = run({ type: 'up' }, { type: 'locked' }, marked(48_000));
    expect(effects).toMatchObject([{ type: 'emit', timeoutMs: 19_600 }]);
  });
});

describe('the lock', () => {
  const limited: Extract<Acknowledgement<'append'>, { ok: true }> = {
    ok: true,
    epoch: 'e',
    results: [],
    stopped: { code: 'rate-limited', message: '', retryAfter: 20 },
  };

  test('S5 a stolen lock ends the work: an answer in flight still settles rows, and the lock is requested again', () => {
    const stolen: OutboxEvent[] = [...sent, { type: 'lock-lost' }];
    expect(run(...stolen)[1]).toMatchObject([{ type: 'store', verdicts: [{ type: 'unanswered' }] }]);
    expect(types(run(...stolen, { type: 'stored' })[1])).toEqual(['lock']);
    expect(run(...stolen, answered(1))[1]).toMatchObject([{ type: 'store-late' }]);
    expect(types(run(...stolen, { type: 'stored' }, { type: 'lock-lost' })[1])).toEqual([]);
  });
  test('S5 rows that were being marked when the lock was stolen are not sent', () => {
    const lost: OutboxEvent[] = [{ type: 'up' }, { type: 'locked' }, { type: 'lock-lost' }];
    const [, effects] = run(...lost, { type: 'up' }, { type: 'marked', items, bytes: 1 });
    expect(effects).toMatchObject([{ type: 'store', verdicts: [{ type: 'put-off' }] }]);
    expect(types(run({ type: 'up' }, { type: 'locked' }, { type: 'not-marked' })[1])).toEqual([
      'unlock',
      'lock',
    ]);
    expect(types(run({ type: 'up' }, { type: 'locked' }, { type: 'marked-late' })[1])).toEqual(['mark']);
  });
  test('S5 a pause does not hold the lock without a connection, and continues with one', () => {
    const paused: OutboxEvent[] = [...sent, answered(1, limited), { type: 'stored' }];
    expect(types(run(...paused)[1])).toEqual(['pause']);
    expect(types(run(...paused, { type: 'down' })[1])).toEqual(['unlock']);
    expect(types(run(...paused, { type: 'down' }, { type: 'up' })[1])).toEqual([]);
    expect(types(run(...paused, { type: 'down' }, { type: 'up' }, { type: 'pause-over' })[1])).toEqual([
      'lock',
    ]);
    expect(types(run(...paused, { type: 'down' }, { type: 'pause-over' }, { type: 'up' })[1])).toEqual([
      'lock',
    ]);
  });
  test('S5 a pause after a timeout releases it for a tab with a better connection', () => {
    expect(types(run(...sent, { type: 'timeout', attempt: 1 }, { type: 'stored' })[1])).toContain('unlock');
  });
  test('O2 a pause that the server orders is clamped: neither an append per item nor an hour', () => {
    const pauseOf = (retryAfter: number) => {
      const stopped = { ...limited.stopped!, retryAfter };
      return run(...sent, answered(1, { ...limited, stopped }), { type: 'stored' })[1];
    };
    expect(pauseOf(20)).toEqual([{ type: 'pause', ms: 1_250 }]);
    expect(pauseOf(3_600_000)).toEqual([{ type: 'pause', ms: 60_000 }]);
  });
});

/** A server that may lose, refuse and delay, and a tab that may be killed: random at first, then without failures. */
function simulate(choices: number[]): { log: string[]; rows: Row[]; overlapped: boolean; queued: string[] } {
  let outbox = FRESH;
  let rows: Row[] = [];
  const log: string[] = [];
  const queued: string[] = [];
  const bad = new Set<string>();
  const todo: OutboxEffect[] = [];
  const flying: { attempt: number; items: Item[] }[] = [];
  let overlapped = false;

  const tell = (event: OutboxEvent) => {
    const [after, effects] = reduceOutbox(outbox, event, half);
    outbox = after;
    todo.push(...effects);
  };
  const append = (its: Item[]): Acknowledgement<'append'> => ({
    ok: true,
    epoch: 'e',
    results: its.map(({ clientOffset }) => {
      if (bad.has(clientOffset)) return { clientOffset, error: { code: 'forbidden', message: '' } };
      if (!log.includes(clientOffset)) log.push(clientOffset);
      return { clientOffset, serverOffset: log.indexOf(clientOffset) + 1, at: 1 };
    }),
  });
  const store = (verdicts: Verdict[]) => {
    for (const verdict of verdicts) {
      if (verdict.type === 'acknowledged')
        rows = rows.filter((row) => row.clientOffset !== verdict.clientOffset);
      else {
        rows = rows.map((row) =>
          row.clientOffset === verdict.clientOffset
            ? stepRow(row, verdict.type === 'refused' ? { ...verdict, newKey: key(`n${row.seq}`) } : verdict)
            : row,
        );
      }
    }
  };
  const carryOut = (effect: OutboxEffect | undefined) => {
    switch (effect?.type) {
      case 'lock':
        return tell({ type: 'locked' });
      case 'mark': {
        const batch = nextBatch(rows, effect.limits, { features: new Set(), rooms: effect.without }).map(
          (row) => stepRow(row, { type: 'attempted' }),
        );
        rows = rows.map((row) => batch.find(({ seq }) => seq === row.seq) ?? row);
        const isAll = rows.filter(isWaiting).length === batch.length;
        return tell({ type: 'marked', items: batch.map(itemOf), bytes: batch.length * 1_000, isAll });
      }
      case 'emit':
        overlapped ||= flying.some(({ attempt }) => attempt === effect.attempt);
        flying.push({ attempt: effect.attempt, items: effect.items });
        return;
      case 'store':
      case 'store-late':
        store(effect.verdicts);
        if (effect.type === 'store')
          tell({ type: 'stored', isLeft: effect.verdicts.some(({ type }) => type !== 'acknowledged') });
        return;
      default:
        return;
    }
  };
  const answer = (reply: 'ok' | 'lost' | 'busy' | 'broken') => {
    const flight = flying.shift();
    if (!flight) return;
    const { attempt, items: sent } = flight;
    if (reply === 'busy' || reply === 'broken') {
      const code = reply === 'busy' ? 'unavailable' : 'internal';
      return tell({ type: 'answered', attempt, sent, answer: { ok: false, error: { code, message: '' } } });
    }
    const result = append(flight.items);
    if (reply === 'ok') tell({ type: 'answered', attempt, sent, answer: result });
  };
  const queue = () => {
    const row = text(queued.length + 1);
    queued.push(row.clientOffset);
    rows.push(row);
    tell({ type: 'rows' });
  };
  const actions: (() => void)[] = [
    queue,
    queue,
    () => {
      if (rows.length > 0) bad.add(rows.at(-1)!.clientOffset);
    },
    () => carryOut(todo.shift()),
    () => carryOut(todo.shift()),
    () => carryOut(todo.shift()),
    () => answer('ok'),
    () => answer('lost'),
    () => answer('busy'),
    () => answer('broken'),
    () => tell({ type: 'up' }),
    () => tell({ type: 'down' }),
    () => tell({ type: 'timeout', attempt: outbox.attempt }),
    () => tell({ type: 'pause-over' }),
    () => {
      todo.length = 0; // the tab is killed and opened again: only the database is left
      outbox = { ...FRESH, attempt: outbox.attempt };
    },
  ];
  for (const choice of choices) actions[choice % actions.length]!();
  for (let i = 0; i < 400; i++) {
    if (todo.length > 0) carryOut(todo.shift());
    else if (flying.length > 0) answer('ok');
    else
      tell(
        i % 3 === 0
          ? { type: 'up' }
          : i % 3 === 1
            ? { type: 'pause-over' }
            : { type: 'timeout', attempt: outbox.attempt },
      );
  }
  return { log, rows, overlapped, queued: queued.filter((each) => !bad.has(each)) };
}

test('O2 O3 L5 whatever is lost, refused, delayed or killed, everything arrives, once and in order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { maxLength: 150 }), (choices) => {
      const { log, rows, overlapped, queued } = simulate(choices);
      expect(overlapped).toBe(false);
      expect(rows.filter((row) => row.state.tag !== 'parked')).toEqual([]);
      expect(new Set(log).size).toBe(log.length);
      const parked = new Set(rows.map((row) => row.clientOffset));
      for (const each of queued) expect(log.includes(each) || parked.has(each)).toBe(true);
      const inTime = log.filter((each) => queued.includes(each));
      if (parked.size === 0) expect(inTime).toEqual(queued);
    }),
    { seed: 17, numRuns: runsOf('one outbox') },
  );
});
