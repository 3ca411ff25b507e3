/** The shell of the outbox machine: carries out its effects, and tells it what came of them. */

import { assertNever } from '../../shared/never.ts';
import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { DATABASE_TIMEOUT_MS, DRAIN_BEAT_MS } from '../records/pageLimits.ts';
import type { StorageHealth } from '../state/storageState.ts';
import { type Fence, isMine } from './fence.ts';
import type { DrainLock } from './lock.ts';
import { FRESH, isAnyResting, type OutboxEffect, type OutboxEvent, step } from './machine.ts';
import { mark, recover } from './mark.ts';
import { type Placed, storeVerdicts } from './store.ts';
import type { Verdict } from './verdicts.ts';

export interface Drain {
  /** There is a way to the server, or not any more. */
  up(): void;
  down(): void;
  /** Something was queued, here or in another tab. */
  rows(): void;
  /** True while something is under way, is waited for, or rests before it is tried again, be it in one room. */
  busy(): boolean;
  close(): void;
}

export interface DrainDeps {
  db: UserDatabase;
  me: string;
  clock: Clock;
  random: () => number;
  newKey: () => string;
  /** Who drains: another for each tab and each worker. */
  holder: string;
  lock: DrainLock;
  storage: StorageHealth;
  /** The lock is held and there is work under way: who waits for it may go on waiting. */
  beat(): void;
  /** Writes to the network. `undefined`: the connection went, and no answer will come. */
  append(items: Item[], answered: (answer: Acknowledgement<'append'> | undefined) => void): void;
  /** Bytes that are on their way up, 0 when none are. */
  uploading(bytes: number): void;
  /** An append stayed unanswered: the connection may be dead. */
  suspect(): void;
  stopped(why: 'auth' | 'upgrade'): void;
  /** These were acknowledged where nothing held covers them. */
  placed(placed: Placed[]): void;
  /** Rows of these rooms changed. `queued`: and there is more to send, for whoever holds the lock. */
  changed(rooms: string[], type: 'rows' | 'queued'): void;
}

export function createDrain(deps: DrainDeps): Drain {
  const { db, me, clock, random, newKey, lock, holder } = deps;
  let outbox = FRESH;
  let restTimer: Timer | undefined;
  let sendTimer: Timer | undefined;
  let beatTimer: Timer | undefined;
  const roomTimers = new Map<string, Timer>();
  /** The number of the last append of which the others were told. */
  let beaten = 0;
  let fence: Fence = 'none';
  /** Rows may say `sending` that nobody sends: an earlier holder's, or ours of which we could not write what became. */
  let sweep = true;
  /** Of the logs that what is under way was marked for. */
  let generation = 0;
  let closed = false;

  function tell(event: OutboxEvent): void {
    if (closed) return;
    const [after, effects] = step(outbox, event, random);
    outbox = after;
    for (const effect of effects) carryOut(effect);
    beatWhileAtWork();
  }

  /** A database that hangs, or a rest after silence, is no work: another tab may do better (S5). */
  function beatWhileAtWork(): void {
    if (beatTimer !== undefined || closed || outbox.lock !== 'held' || outbox.work.tag === 'idle') return;
    beatTimer = clock.setTimeout(() => {
      beatTimer = undefined;
      const { work, attempt } = outbox;
      if (outbox.lock === 'held' && (attempt !== beaten || work.tag === 'sending' || work.tag === 'resting'))
        deps.beat();
      beaten = attempt;
      beatWhileAtWork();
    }, DRAIN_BEAT_MS);
  }

  function carryOut(effect: OutboxEffect): void {
    switch (effect.type) {
      case 'lock':
        lock.take(() => {
          fence = lock.exclusive ? 'claim' : 'none';
          sweep = true;
          tell({ type: 'locked' });
        });
        return;
      case 'unlock':
        lock.release();
        return;
      case 'mark':
        attempt(() => markNext(effect));
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
      case 'rest-room': {
        const { room, ms } = effect;
        cancel(roomTimers.get(room));
        roomTimers.set(
          room,
          clock.setTimeout(() => tell({ type: 'room-rested', room }), ms),
        );
        return;
      }
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

  async function markNext({ limits, without }: Extract<OutboxEffect, { type: 'mark' }>): Promise<void> {
    const began = clock.ticks();
    const marked = await mark(db, { limits, without, holder, fence, sweep });
    if (marked === 'not-mine') return tell({ type: 'not-mine' });
    if (fence === 'claim') fence = 'verify';
    sweep = false;
    generation = marked.generation;
    deps.changed(marked.rooms, 'rows');
    // No transaction takes that long: we stood still since it was made, perhaps long enough for a thief (S5).
    if (clock.ticks() - began > STOOD_STILL_MS) return tell({ type: 'marked-late' });
    tell({ type: 'marked', items: marked.items, bytes: marked.bytes });
  }

  function emit({ attempt: number, items, bytes, timeoutMs }: Extract<OutboxEffect, { type: 'emit' }>): void {
    cancel(sendTimer);
    sendTimer = clock.setTimeout(() => tell({ type: 'timeout', attempt: number }), timeoutMs);
    deps.uploading(bytes);
    deps.append(items, (answer) => {
      if (number === outbox.attempt) {
        cancel(sendTimer);
        deps.uploading(0);
      }
      if (answer) tell({ type: 'answered', attempt: number, sent: items, answer });
      else tell({ type: 'timeout', attempt: number });
    });
  }

  async function store(verdicts: Verdict[]): Promise<void> {
    const maySay = (tx: UserWrite) => fence === 'none' || isMine(tx, holder);
    const { rooms, freed, placed } = await storeVerdicts(db, me, verdicts, newKey, maySay, generation);
    deps.changed(rooms, freed ? 'queued' : 'rows');
    deps.placed(placed);
  }

  function attempt(work: () => Promise<void>): void {
    work().then(deps.storage.worked, (error) => {
      if (closed) return;
      sweep = true;
      deps.storage.failed(error);
      console.warn('the outbox could not be read or written', error);
      tell({ type: 'database-failed' });
    });
  }

  function cancel(timer: Timer | undefined): void {
    if (timer !== undefined) clock.clearTimeout(timer);
  }

  lock.lost(() => tell({ type: 'lock-lost' }));
  lock
    .tryOnce(() => recover(db).then((rooms) => deps.changed(rooms, 'rows')))
    .catch((error) => console.warn('the outbox was not read', error));

  return {
    up: () => tell({ type: 'up' }),
    down: () => tell({ type: 'down' }),
    rows: () => tell({ type: 'rows' }),
    busy: () => outbox.work.tag !== 'idle' || outbox.lock !== 'none' || isAnyResting(outbox),
    close() {
      closed = true;
      cancel(restTimer);
      cancel(sendTimer);
      cancel(beatTimer);
      roomTimers.forEach(cancel);
      lock.close();
    },
  };
}

/** Longer than a transaction can take before it is given up, the second attempt included. */
const STOOD_STILL_MS = 2 * DATABASE_TIMEOUT_MS;
