/**
 * The store on one SQLite file, for one process. The database is open in worker threads, so that no fsync stalls the event
 * loop: one writes, one reads beside it. This side forwards calls, hands out what was committed to the tails, starts
 * threads again that died, and knows whether the file is whole.
 */
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { withTimeout } from '../../base/timeout.ts';
import { type AppendOutcome, type NewEntry, type Store, Unavailable, type Unusable } from '../port.ts';
import { checkPlace, inUse, realFile, unusable } from './database.ts';
import { inWords } from './files.ts';
import { type Lock, lockFileOf, takeLock } from './lock.ts';
import { openTails } from './tail.ts';
import { startThreads, type Threads } from './threads.ts';
import { createWholeness } from './wholeness.ts';

interface Options {
  file: string;
  log: Pick<Logger, 'warn' | 'error'>;
  /**
   * The database was found damaged after it was opened, with the sentence for it. Whoever hears of it closes the store and
   * ends the process. Nothing that is stored is lost by that; what is written from then on may be.
   */
  onDamage?: (error: Unusable) => void;
}

/**
 * Opens the file, making it and its folder where there is none, and holds it for this process alone.
 * Rejects with `Unusable`, whose message says what to do, when it cannot be used as it is.
 */
export async function openSqlite({ file, ...options }: Options): Promise<Store> {
  const path = realFile(file);
  const lock = await hold(path);
  try {
    return await openHeld(lock, { file: path, ...options });
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function hold(file: string): Promise<Lock> {
  checkPlace(file);
  const lock = await takeLock(file).catch((error: unknown) => {
    throw unusable(lockFileOf(file), error);
  });
  if (!lock) throw inUse(file);
  return lock;
}

async function openHeld(lock: Lock, { file, log, onDamage = () => {} }: Options): Promise<Store> {
  const wholeness = await inWords(dirname(file), async () => createWholeness(file, log, onDamage));
  const call: Threads['call'] = (...args) => threads.call(...args);
  const tails = openTails({
    epoch: () => threads.epoch(),
    isRunning: () => threads.isWriting(),
    lastSeq: () => call('log', 'lastSeq'),
    since: (seq, limit) => call('log', 'since', seq, limit),
    log,
  });
  const threads = await startThreads({
    file,
    isKnownWhole: wholeness.isKnown,
    log,
    onRestart(isChecked) {
      wholeness.opened(isChecked);
      tails.catchUp(); // where the writer died: commits whose answer died with it
    },
    onDamage: wholeness.foundDamaged,
  });
  wholeness.opened(threads.isChecked);

  async function append(items: readonly NewEntry[], at: number): Promise<AppendOutcome> {
    try {
      const { results, committed } = await call('log', 'append', items, at);
      tails.offer(committed);
      return { results };
    } catch (error) {
      if (error instanceof Unavailable) return { results: [], stopped: error }; // L4: the whole batch is unknown
      throw error;
    }
  }

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    await wholeness.stopCheck();
    const isComplete = await threads.close();
    tails.close();
    if (isComplete) wholeness.leaveMark();
    lock.release();
  }

  return {
    get epoch() {
      return threads.epoch();
    },
    takesNewKinds: () => true, // only processes of this version use this file
    log: {
      append,
      find: (keys) => call('log', 'find', keys),
      range: (room, from, to, maxBytes) => call('log', 'range', room, from, to, maxBytes),
      heads: (rooms) => call('log', 'heads', rooms),
      timesAt: (points) => call('log', 'timesAt', points),
      messageAt: (room, upTo, count) => call('log', 'messageAt', room, upTo, count),
      unread: (room, user, after, most) => call('log', 'unread', room, user, after, most),
      tail: tails.open,
      writesByRoom: false,
    },
    users: {
      create: (user, device) => call('users', 'create', user, device),
      byNameKey: (nameKey) => call('users', 'byNameKey', nameKey),
      byId: (id) => call('users', 'byId', id),
      names: (ids) => call('users', 'names', ids),
      rename: (id, name, nameKey) => call('users', 'rename', id, name, nameKey),
      changedSince: (rev, limit) => call('users', 'changedSince', rev, limit),
      changedAround: (user, rev, limit) => call('users', 'changedAround', user, rev, limit),
      latestRev: () => call('users', 'latestRev'),
      setPassword: (id, passwordHash) => call('users', 'setPassword', id, passwordHash),
      addDevice: (device, since) => call('users', 'addDevice', device, since),
      byToken: (tokenHash) => call('users', 'byToken', tokenHash),
      byClaim: (claimHash, since) => call('users', 'byClaim', claimHash, since),
      replaceToken: (device, tokenHash) => call('users', 'replaceToken', device, tokenHash),
      removeDevice: (device) => call('users', 'removeDevice', device),
      countDevices: (user) => call('users', 'countDevices', user),
      devicesAlive: (devices) => call('users', 'devicesAlive', devices),
    },
    rooms: {
      create: (room) => call('rooms', 'create', room),
      byId: (id) => call('rooms', 'byId', id),
      listPublic: (after, limit) => call('rooms', 'listPublic', after, limit),
      ofUser: (user) => call('rooms', 'ofUser', user),
      ofUsers: (users) => call('rooms', 'ofUsers', users),
      isMember: (room, user) => call('rooms', 'isMember', room, user),
      mark: (room, user, upTo) => call('rooms', 'mark', room, user, upTo),
    },
    ping: () => withTimeout(PING_TIMEOUT_MS, threads.ping()),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** A disk that hangs answers nothing at all: a probe must not hang with it. */
const PING_TIMEOUT_MS = 2_000;
