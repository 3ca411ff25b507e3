/** Several outbox reducers on one list of rows. Each may be frozen between any two steps, and its lock stolen meanwhile. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Acknowledgement, Item } from '../../../shared/protocol/index.ts';
import { nextBatch, type Verdict } from '../../../web/outbox/appendBatch.ts';
import {
  FRESH,
  type OutboxEffect,
  type OutboxEvent,
  reduceOutbox,
} from '../../../web/outbox/outboxReducer.ts';
import { isWaiting, itemOf, type Row, applyRowEvent as stepRow } from '../../../web/records/row.ts';
import { runsOf } from '../../support/runs.ts';
import { text } from './support.ts';

type Variant = 'as it is' | 'no fence' | 'sends what it marked long ago';

interface Outcome {
  log: string[];
  queued: string[];
  rows: Row[];
  /** Sent by a holder whose lock had been stolen. */
  stale: number;
}

/** The state of the database, the locks and the server; all other state belongs to one holder. */
function simulate(choices: readonly number[], variant: Variant = 'as it is'): Outcome {
  let rows: Row[] = [];
  let fence: string | undefined;
  let stale = 0;
  let lockedBy: Holder | undefined;
  const wanting: Holder[] = [];
  const log: string[] = [];
  const queued: string[] = [];

  class Holder {
    outbox = FRESH;
    /** Pending effects, then pending events: the holder may be frozen before each. */
    todo: OutboxEffect[] = [];
    inbox: (() => void)[] = [];
    /** A theft is reported by another task source than all other events: it may arrive before or after them. */
    stolenFrom = false;
    flying: { attempt: number; items: Item[] }[] = [];
    claimed = false;

    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }

    tell(event: OutboxEvent) {
      const [after, effects] = reduceOutbox(this.outbox, event, () => 0.5);
      this.outbox = after;
      for (const effect of effects) {
        if (effect.type === 'unlock') this.release();
        else if (effect.type === 'lock') this.ask();
        else if (effect.type === 'emit') this.emit(effect.attempt, effect.items);
        else this.todo.push(effect);
      }
    }
    hear(event: OutboxEvent) {
      this.inbox.push(() => this.tell(event));
    }
    ask() {
      wanting.push(this);
      grant();
    }
    release() {
      if (lockedBy === this) lockedBy = undefined;
      grant();
    }
    emit(attempt: number, items: Item[]) {
      if (fence !== this.name) stale++;
      this.flying.push({ attempt, items });
    }
    /** Runs one database job, or handles one event. */
    act() {
      const effect = this.todo.shift();
      if (effect?.type === 'mark') this.mark(effect);
      else if (effect?.type === 'store' || effect?.type === 'store-late') {
        store(effect.verdicts, variant === 'no fence' || fence === this.name);
        if (effect.type === 'store')
          this.hear({ type: 'stored', isLeft: effect.verdicts.some(({ type }) => type !== 'acknowledged') });
      } else if (!effect) this.inbox.shift()?.();
    }
    hearOfTheft() {
      if (this.stolenFrom) this.tell({ type: 'lock-lost' });
      this.stolenFrom = false;
    }
    mark({ limits, without }: Extract<OutboxEffect, { type: 'mark' }>) {
      if (!this.claimed) fence = this.name;
      else if (variant !== 'no fence' && fence !== this.name) return this.hear({ type: 'not-marked' });
      this.claimed = true;
      const batch = nextBatch(rows, limits, { features: new Set(), rooms: without }).map((row) =>
        stepRow(row, { type: 'attempted' }),
      );
      rows = rows.map(
        (row) => batch.find(({ seq }) => seq === row.seq) ?? stepRow(row, { type: 'unanswered' }),
      );
      const isAll = rows.filter(isWaiting).length === batch.length;
      const bytes = batch.length * 1_000;
      const marked: OutboxEvent = { type: 'marked', items: batch.map(itemOf), bytes, isAll };
      this.inbox.push(() => {
        const stoodStill = variant === 'as it is' && fence !== this.name; // drain.ts measures the time
        this.tell(stoodStill ? { type: 'marked-late' } : marked);
      });
    }
    answer(lost: boolean) {
      const flight = this.flying.shift();
      if (!flight) return;
      const answer = append(flight.items);
      if (!lost) this.hear({ type: 'answered', attempt: flight.attempt, sent: flight.items, answer });
    }
  }

  function grant() {
    const next = lockedBy ? undefined : wanting.shift();
    if (!next) return;
    lockedBy = next;
    next.inbox.push(() => {
      next.claimed = false; // it may have been stolen already: a separate event
      next.tell({ type: 'locked' });
    });
  }

  function steal() {
    const thief = wanting.shift();
    if (!thief) return;
    const robbed = lockedBy;
    lockedBy = undefined;
    wanting.unshift(thief);
    if (robbed) robbed.stolenFrom = true;
    grant();
  }

  function append(items: Item[]): Acknowledgement<'append'> {
    const results = items.map(({ clientOffset }) => {
      if (!log.includes(clientOffset)) log.push(clientOffset);
      return { clientOffset, serverOffset: log.indexOf(clientOffset) + 1, at: 1 };
    });
    return { ok: true, epoch: 'e', results };
  }

  function store(verdicts: Verdict[], mine: boolean) {
    for (const verdict of verdicts) {
      if (verdict.type === 'acknowledged')
        rows = rows.filter((row) => row.clientOffset !== verdict.clientOffset);
      else if (mine && (verdict.type === 'unanswered' || verdict.type === 'put-off'))
        rows = rows.map((row) => (row.clientOffset === verdict.clientOffset ? stepRow(row, verdict) : row));
    }
  }

  const holders = ['a', 'b', 'c'].map((name) => new Holder(name));
  const queue = () => {
    const row = text(queued.length + 1);
    queued.push(row.clientOffset);
    rows.push(row);
    for (const holder of holders) holder.hear({ type: 'rows' });
  };
  const actions: ((holder: Holder) => void)[] = [
    queue,
    (holder) => holder.act(),
    (holder) => holder.act(),
    (holder) => holder.act(),
    (holder) => holder.act(),
    (holder) => holder.answer(false),
    (holder) => holder.answer(true),
    (holder) => holder.hear({ type: 'up' }),
    (holder) => holder.hear({ type: 'up' }),
    (holder) => holder.hear({ type: 'down' }),
    (holder) => holder.hear({ type: 'timeout', attempt: holder.outbox.attempt }),
    (holder) => holder.hear({ type: 'pause-over' }),
    (holder) => holder.hearOfTheft(),
    steal,
  ];
  for (const choice of choices) actions[choice % actions.length]!(holders[choice % 3]!);
  for (let i = 0; i < 900; i++) {
    const holder = holders[i % 3]!;
    if (holder.stolenFrom) holder.hearOfTheft();
    else if (holder.todo.length + holder.inbox.length > 0) holder.act();
    else if (holder.flying.length > 0) holder.answer(false);
    else {
      const kind: OutboxEvent[] = [
        { type: 'up' },
        { type: 'pause-over' },
        { type: 'timeout', attempt: holder.outbox.attempt },
      ];
      holder.tell(kind[((i / 3) % 3) | 0]!);
    }
    if (i % 100 === 99) steal();
  }
  return { log, queued, rows, stale };
}

const anyChoices = fc.array(fc.nat(10_000), { minLength: 150, maxLength: 300 });

test('S5 O2 L5 tabs that are frozen, thawed and stolen from at any moment send everything, once, in order, only with the fencing token', () => {
  fc.assert(
    fc.property(anyChoices, (choices) => {
      const { log, queued, rows, stale } = simulate(choices);
      expect(rows).toEqual([]);
      expect(log).toEqual(queued);
      expect(stale).toBe(0);
    }),
    { seed: 5, numRuns: runsOf('tabs that hold the lock') },
  );
});

for (const variant of ['no fence', 'sends what it marked long ago'] as const) {
  test(`S5 ${variant}: somebody who was stolen from sends, and it is caught`, () => {
    const runs = fc.sample(anyChoices, { seed: 5, numRuns: 1_000 });
    expect(runs.some((choices) => simulate(choices, variant).stale > 0)).toBe(true);
  });
}
