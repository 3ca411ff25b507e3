/** The shell of the outbox machine: carries out its effects, and tells it what came of them. */
import { assertNever } from '../../shared/never.ts';
import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';
import { createLock } from './lock.ts';
import { FRESH, type OutboxEffect, type OutboxEvent, step } from './machine.ts';
import { mark, recover, storeVerdicts } from './store.ts';
import type { Verdict } from './verdicts.ts';

export interface Drain {
  /** There is a way to the server, or not any more. */
  up(): void;
  down(): void;
  /** Something was queued, here or in another tab. */
  rows(): void;
  close(): void;
}

export interface DrainDeps {
  db: UserDatabase;
  me: string;
  clock: Clock;
  random: () => number;
  newKey: () => string;
  /** Absent where the browser withholds them: drains may overlap, and the server's key makes that harmless. */
  locks: LockManager | undefined;
  /** Writes to the network. `undefined`: the connection went, and no answer will come. */
  append(items: Item[], answered: (answer: Acknowledgement<'append'> | undefined) => void): void;
  /** Bytes that are on their way up, 0 when none are. */
  uploading(bytes: number): void;
  /** An append stayed unanswered: the connection may be dead. */
  suspect(): void;
  stopped(why: 'auth' | 'upgrade'): void;
  /** Rows of these rooms changed. */
  changed(rooms: string[]): void;
}

export function createDrain(deps: DrainDeps): Drain {
  const { db, me, clock, random, newKey } = deps;
  const lock = createLock(deps.locks, `holdfast:${me}:drain`);
  let outbox = FRESH;
  let restTimer: Timer | undefined;
  let sendTimer: Timer | undefined;
  let closed = false;

  function tell(event: OutboxEvent): void {
    if (closed) return;
    const [after, effects] = step(outbox, event, random);
    outbox = after;
    for (const effect of effects) carryOut(effect);
  }

  function carryOut(effect: OutboxEffect): void {
    switch (effect.type) {
      case 'lock':
        lock.take(() => tell({ type: 'locked' }));
        return;
      case 'unlock':
        lock.release();
        return;
      case 'mark':
        attempt(async () => {
          const { rooms, items, bytes } = await mark(db, effect.limits);
          deps.changed(rooms);
          tell({ type: 'marked', items, bytes });
        });
        return;
      case 'emit':
        emit(effect);
        return;
      case 'store':
        attempt(async () => {
          await store(effect.verdicts);
          tell({ type: 'stored' });
        });
        return;
      case 'store-late':
        store(effect.verdicts).catch((error) => console.warn('a late answer was not stored', error));
        return;
      case 'rest':
        cancel(restTimer);
        restTimer = clock.setTimeout(() => tell({ type: 'rested' }), effect.ms);
        return;
      case 'suspect':
        deps.suspect();
        return;
      case 'stopped':
        deps.stopped(effect.why);
        return;
      default:
        assertNever(effect);
    }
  }

  function emit({ attempt: number, items, bytes, timeoutMs }: Extract<OutboxEffect, { type: 'emit' }>): void {
    const keys = items.map((item) => item.clientOffset);
    cancel(sendTimer);
    sendTimer = clock.setTimeout(() => tell({ type: 'timeout', attempt: number }), timeoutMs);
    deps.uploading(bytes);
    deps.append(items, (answer) => {
      if (number === outbox.attempt) {
        cancel(sendTimer);
        deps.uploading(0);
      }
      if (answer) tell({ type: 'answered', attempt: number, keys, answer });
      else tell({ type: 'timeout', attempt: number });
    });
  }

  async function store(verdicts: Verdict[]): Promise<void> {
    deps.changed(await storeVerdicts(db, me, verdicts, newKey));
  }

  function attempt(work: () => Promise<void>): void {
    work().catch((error) => {
      if (closed) return;
      console.warn('the outbox could not be read or written', error);
      tell({ type: 'database-failed' });
    });
  }

  function cancel(timer: Timer | undefined): void {
    if (timer !== undefined) clock.clearTimeout(timer);
  }

  lock
    .tryOnce(() => recover(db).then(deps.changed))
    .catch((error) => console.warn('the outbox was not read', error));

  return {
    up: () => tell({ type: 'up' }),
    down: () => tell({ type: 'down' }),
    rows: () => tell({ type: 'rows' }),
    close() {
      closed = true;
      cancel(restTimer);
      cancel(sendTimer);
      lock.close();
    },
  };
}
