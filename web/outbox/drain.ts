/** The shell of the outbox: runs the reducer (outboxReducer.ts), carries out its effects and reports their results to it. */
import { assertNever } from '../../shared/never.ts';
import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { StorageHealth } from '../db/failure.ts';
import type { UserDatabase, UserWrite } from '../db/userDatabase.ts';
import type { UncoveredAck } from '../records/change.ts';
import { DATABASE_TIMEOUT_MS, LOCK_HEARTBEAT_MS } from '../records/pageLimits.ts';
import type { Verdict } from './appendBatch.ts';
import { applyVerdicts } from './applyVerdicts.ts';
import type { DrainLock } from './drainLock.ts';
import { type FenceCheck, holdsFence, markBatch, recoverUnanswered } from './markBatch.ts';
import {
  FRESH,
  isAnyRoomPaused,
  type OutboxEffect,
  type OutboxEvent,
  reduceOutbox,
} from './outboxReducer.ts';

export interface Drain {
  /** Call them when the connection is established (after `welcome`), and when it ends. */
  up(): void;
  down(): void;
  /** Rows were queued, in this tab or another. */
  rows(): void;
  /** An append is in flight, the lock is held or requested, or a retry is scheduled. */
  busy(): boolean;
  close(): void;
}

export interface DrainDeps {
  db: UserDatabase;
  me: string;
  clock: Clock;
  random: () => number;
  newKey: () => string;
  /** The fencing token: the id of this tab or worker, unique among the user's. */
  fenceToken: string;
  lock: DrainLock;
  storage: StorageHealth;
  /** Tells the other tabs that this holder of the lock makes progress, so the lock must not be stolen. */
  lockHeartbeat(): void;
  /** Whether this hears of all rows that are queued. Otherwise it looks for more after each append. */
  hearsOfRows: boolean;
  /**
   * Whether a frame with this own entry has settled its row, or is about to. Undefined where none came, or where storing
   * it may take long.
   */
  echo(clientOffset: string): Promise<boolean> | undefined;
  /** Sends items. `undefined`: the connection ended, and no answer will come. */
  append(items: Item[], answered: (answer: Acknowledgement<'append'> | undefined) => void): void;
  /** Bytes being uploaded, 0 if none. */
  uploading(bytes: number): void;
  /** An append was not answered in time: the connection may be dead. */
  suspect(): void;
  stopped(why: 'auth' | 'upgrade'): void;
  /** These entries were acknowledged outside all spans. */
  placed(placed: UncoveredAck[]): void;
  /**
   * Rows of these rooms changed. `queued`: there is more to send, for the holder of the lock. `attempted`: only that those
   * with these keys are being sent.
   */
  changed(rooms: string[], type: 'rows' | 'queued', attempted?: string[]): void;
}

export function createDrain(deps: DrainDeps): Drain {
  const { db, me, clock, random, newKey, lock, fenceToken } = deps;
  let outbox = FRESH;
  let pauseTimer: Timer | undefined;
  let sendTimer: Timer | undefined;
  let heartbeatTimer: Timer | undefined;
  const roomTimers = new Map<string, Timer>();
  /** The number of the append at the last heartbeat. */
  let attemptAtHeartbeat = 0;
  let fenceCheck: FenceCheck = 'none';
  /** Rows may be `sending` although not in flight: of an earlier holder, or ours if the result could not be stored. */
  let sweep = true;
  /** The generation of the stored logs when the rows in flight were marked. */
  let generation = 0;
  let closed = false;

  function tell(event: OutboxEvent): void {
    if (closed) return;
    const [after, effects] = reduceOutbox(outbox, event, random);
    outbox = after;
    for (const effect of effects) carryOut(effect);
    sendHeartbeatsWhileWorking();
  }

  /** No heartbeat while the database stalls, or in a backoff after a timeout: another tab may do better (S5). */
  function sendHeartbeatsWhileWorking(): void {
    if (heartbeatTimer !== undefined || closed || outbox.lock !== 'held' || outbox.work.tag === 'idle')
      return;
    heartbeatTimer = clock.setTimeout(() => {
      heartbeatTimer = undefined;
      const { work, attempt } = outbox;
      const isWorking = attempt !== attemptAtHeartbeat || work.tag === 'sending' || work.tag === 'paused';
      if (outbox.lock === 'held' && isWorking) deps.lockHeartbeat();
      attemptAtHeartbeat = attempt;
      sendHeartbeatsWhileWorking();
    }, LOCK_HEARTBEAT_MS);
  }

  function carryOut(effect: OutboxEffect): void {
    switch (effect.type) {
      case 'lock':
        lock.acquire(() => {
          fenceCheck = lock.exclusive ? 'claim' : 'none';
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
          tell({ type: 'stored', isLeft: await store(effect.verdicts) });
        });
        return;
      case 'store-late':
        store(effect.verdicts).catch((error) => console.warn('a late answer was not stored', error));
        return;
      case 'pause':
        cancel(pauseTimer);
        pauseTimer = clock.setTimeout(() => tell({ type: 'pause-over' }), effect.ms);
        return;
      case 'pause-room': {
        const { room, ms } = effect;
        cancel(roomTimers.get(room));
        roomTimers.set(
          room,
          clock.setTimeout(() => tell({ type: 'room-pause-over', room }), ms),
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
    let began = clock.ticks();
    const mayMark = () => {
      began = clock.ticks(); // a marking that was interrupted begins again (db/transactionQueue.ts)
      return outbox.isOnline;
    };
    const marked = await markBatch(db, { limits, without, fenceToken, fenceCheck, sweep, mayMark });
    if (marked === 'not-marked') return tell({ type: 'not-marked' });
    if (fenceCheck === 'claim') fenceCheck = 'verify';
    sweep = false;
    generation = marked.generation;
    const keys = marked.items.map(({ clientOffset }) => clientOffset);
    deps.changed(marked.rooms, 'rows', marked.isOnlyItems ? keys : undefined);
    // The last run took longer than a transaction may: this tab was frozen, and the lock may have been stolen (S5).
    if (clock.ticks() - began > FROZEN_MS) return tell({ type: 'marked-late' });
    const { items, bytes } = marked;
    tell({ type: 'marked', items, bytes, isAll: marked.isAll && deps.hearsOfRows });
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

  /**
   * Rows that their echo has settled need no transaction of the answer. Resolves with whether some of the rows may have to
   * be sent again.
   */
  async function store(answered: Verdict[]): Promise<boolean> {
    const echoed = await Promise.all(
      answered.map(({ type, clientOffset }) => type === 'acknowledged' && deps.echo(clientOffset)),
    );
    const verdicts = answered.filter((_, i) => !echoed[i]);
    if (verdicts.length === 0) return false;
    const mayStoreVerdicts = (tx: UserWrite) => fenceCheck === 'none' || holdsFence(tx, fenceToken);
    const { rooms, freed, isLeft, placed } = await applyVerdicts(
      db,
      me,
      verdicts,
      newKey,
      mayStoreVerdicts,
      generation,
    );
    deps.changed(rooms, freed ? 'queued' : 'rows');
    deps.placed(placed);
    return isLeft;
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

  lock.onLost(() => tell({ type: 'lock-lost' }));
  lock
    .tryOnce(() => recoverUnanswered(db).then((rooms) => deps.changed(rooms, 'rows')))
    .catch((error) => console.warn('the outbox could not be read or written', error));

  return {
    up: () => tell({ type: 'up' }),
    down: () => tell({ type: 'down' }),
    rows: () => tell({ type: 'rows' }),
    busy: () => outbox.work.tag !== 'idle' || outbox.lock !== 'none' || isAnyRoomPaused(outbox),
    close() {
      closed = true;
      cancel(pauseTimer);
      cancel(sendTimer);
      cancel(heartbeatTimer);
      roomTimers.forEach(cancel);
      lock.close();
    },
  };
}

/** Longer than a transaction can take before it fails. */
const FROZEN_MS = 2 * DATABASE_TIMEOUT_MS;
