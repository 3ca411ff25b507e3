/**
 * The store on one SQLite file, for one process. Two worker threads have the database open, one writes and one reads, so that
 * no fsync blocks the event loop. This side forwards calls to them, delivers commits to the tails, restarts threads that
 * died, and tracks the integrity of the file.
 */
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { withTimeout } from '../../base/timeout.ts';
import { type AppendOutcome, type NewEntry, type Store, Unavailable, type Unusable } from '../port.ts';
import { checkAccess, inUse, realFile, unusable } from './connections.ts';
import { explainingErrors } from './databaseFiles.ts';
import { repairModes } from './fileModes.ts';
import { createIntegrity } from './integrity.ts';
import { lockFileOf, type ProcessLock, takeLock } from './processLock.ts';
import { openTails } from './tail.ts';
import { startThreads, type Threads } from './threads.ts';

interface Options {
  file: string;
  log: Pick<Logger, 'warn' | 'error'>;
  /**
   * Called when the database is found damaged after it was opened. The caller logs the message, closes the store and ends the
   * process. What is stored is not lost by that; further writes could be.
   */
  onDamage?: (error: Unusable) => void;
  /** Called when `npm run migrate` has moved what is in the file: nothing can be written here any more. The same for the caller. */
  onMoved?: (error: Unusable) => void;
}

/**
 * Opens the file, creates it and its folder where they do not exist, and locks it for this process.
 * Rejects with `Unusable`, whose message says what to do, when it cannot be used as it is.
 */
export async function openSqlite({ file, ...options }: Options): Promise<Store> {
  const path = realFile(file);
  const lock = await lockFor(path);
  try {
    return await openLocked(lock, { file: path, ...options });
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function lockFor(file: string): Promise<ProcessLock> {
  checkAccess(file);
  const lock = await takeLock(file).catch((error: unknown) => {
    throw unusable(lockFileOf(file), error);
  });
  if (!lock) throw inUse(file);
  return lock;
}

async function openLocked(
  lock: ProcessLock,
  { file, log, onDamage = () => {}, onMoved = () => {} }: Options,
): Promise<Store> {
  const integrity = await explainingErrors(dirname(file), async () => createIntegrity(file, log, onDamage));
  const call: Threads['call'] = (...args) => threads.call(...args);
  const tails = openTails({
    epoch: () => threads.epoch(),
    isRunning: () => threads.isWriting(),
    lastSeq: () => call('log', 'lastSeq'),
    since: (seq, limit) => call('log', 'since', seq, limit),
    log,
  });
  let isMoving = false;
  const threads = await startThreads({
    file,
    isKnownWhole: integrity.isKnownWhole,
    log,
    onRestart(isChecked) {
      integrity.opened(isChecked);
      tails.catchUp(); // where the writer died, the tails have missed commits whose answer was lost
    },
    onDamage: integrity.foundDamaged,
    onMoved,
    onMoving(is) {
      isMoving = is;
    },
  });
  integrity.opened(threads.isChecked);
  repairModes(file, log);

  async function append(items: readonly NewEntry[], at: number): Promise<AppendOutcome> {
    try {
      const { results, committed } = await call('log', 'append', items, at);
      tails.offer(committed);
      return { results };
    } catch (error) {
      if (error instanceof Unavailable) return { results: [], stopped: error }; // L4: the outcome of the whole batch is unknown
      throw error;
    }
  }

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    await integrity.stopCheck();
    const isComplete = await threads.close();
    tails.close();
    if (isComplete) integrity.leaveMark();
    lock.release();
  }

  return {
    get epoch() {
      return threads.epoch();
    },
    isMoving: () => isMoving,
    takesNewKinds: () => true, // only processes of this version use this file
    log: {
      append,
      find: (keys) => call('log', 'find', keys),
      range: (room, from, to, maxBytes) => call('log', 'range', room, from, to, maxBytes),
      entriesAt: (room, offsets) => call('log', 'entriesAt', room, offsets),
      reactionsTo: (room, targets, by) => call('log', 'reactionsTo', room, targets, by),
      reactors: (room, target, most) => call('log', 'reactors', room, target, most),
      heads: (rooms) => call('log', 'heads', rooms),
      timesAt: (points) => call('log', 'timesAt', points),
      messageAt: (room, upTo, count) => call('log', 'messageAt', room, upTo, count),
      messageFrom: (room, from, to) => call('log', 'messageFrom', room, from, to),
      unread: (room, user, after, most) => call('log', 'unread', room, user, after, most),
      mentions: (room, user, after, most) => call('log', 'mentions', room, user, after, most),
      tail: tails.open,
      writesByRoom: false,
    },
    users: {
      create: (user, device) => call('users', 'create', user, device),
      byNameKey: (nameKey) => call('users', 'byNameKey', nameKey),
      byId: (id) => call('users', 'byId', id),
      search: (nameKey, limit) => call('users', 'search', nameKey, limit),
      names: (ids) => call('users', 'names', ids),
      rename: (id, name, nameKey, limit) => call('users', 'rename', id, name, nameKey, limit),
      changedSince: (rev, limit) => call('users', 'changedSince', rev, limit),
      changedAround: (user, rev, limit) => call('users', 'changedAround', user, rev, limit),
      latestRev: () => call('users', 'latestRev'),
      setPassword: (id, passwordHash, keep, at) => call('users', 'setPassword', id, passwordHash, keep, at),
      setRecovery: (id, recoveryHash) => call('users', 'setRecovery', id, recoveryHash),
      addDevice: (device, since, verified) => call('users', 'addDevice', device, since, verified),
      byToken: (tokenHash) => call('users', 'byToken', tokenHash),
      byClaim: (claimHash, since) => call('users', 'byClaim', claimHash, since),
      replaceToken: (device, tokenHash) => call('users', 'replaceToken', device, tokenHash),
      removeDevice: (user, device, at) => call('users', 'removeDevice', user, device, at),
      wasSignedOut: (tokenHash) => call('users', 'wasSignedOut', tokenHash),
      countDevices: (user) => call('users', 'countDevices', user),
      devicesOf: (user) => call('users', 'devicesOf', user),
      devicesAlive: (devices) => call('users', 'devicesAlive', devices),
      devicesSeen: (devices, at) => call('users', 'devicesSeen', devices, at),
      expireDevices: (unusedSince, limit) => call('users', 'expireDevices', unusedSince, limit),
      addPass: (pass, keep) => call('users', 'addPass', pass, keep),
      takePass: (hash, claimHash, at) => call('users', 'takePass', hash, claimHash, at),
    },
    rooms: {
      create: (room) => call('rooms', 'create', room),
      begin: (room) => call('rooms', 'begin', room),
      byId: (id) => call('rooms', 'byId', id),
      about: (id) => call('rooms', 'about', id),
      listPublic: (after, limit) => call('rooms', 'listPublic', after, limit),
      searchPublic: (...asked) => call('rooms', 'searchPublic', ...asked),
      ofUser: (user) => call('rooms', 'ofUser', user),
      ofUsers: (users) => call('rooms', 'ofUsers', users),
      isMember: (room, user) => call('rooms', 'isMember', room, user),
      countOf: (user) => call('rooms', 'countOf', user),
      countCreated: (user, since) => call('rooms', 'countCreated', user, since),
      countBegun: (user, since) => call('rooms', 'countBegun', user, since),
      leaves: (room, after) => call('rooms', 'leaves', room, after),
      mark: (marks) => call('rooms', 'mark', marks),
      readUpTo: (user, rooms) => call('rooms', 'readUpTo', user, rooms),
      choose: (room, user, choice, at) => call('rooms', 'choose', room, user, choice, at),
      chosen: (room, user) => call('rooms', 'chosen', room, user),
      blockedSince: (room, user) => call('rooms', 'blockedSince', room, user),
      readers: (room, limit) => call('rooms', 'readers', room, limit),
      members: (room, after, limit) => call('rooms', 'members', room, after, limit),
      roles: (room, users) => call('rooms', 'roles', room, users),
      exits: (user, rooms) => call('rooms', 'exits', user, rooms),
      reach: (user, ranges) => call('rooms', 'reach', user, ranges),
      reached: (room, users) => call('rooms', 'reached', room, users),
      banned: (room, limit) => call('rooms', 'banned', room, limit),
    },
    keepers: {
      add: (user, at) => call('keepers', 'add', user, at),
      remove: (user) => call('keepers', 'remove', user),
      all: () => call('keepers', 'all'),
      suspend: (user, at) => call('keepers', 'suspend', user, at),
      lift: (user) => call('keepers', 'lift', user),
      suspended: () => call('keepers', 'suspended'),
      firstUser: () => call('keepers', 'firstUser'),
      addRequest: (request) => call('keepers', 'addRequest', request),
      requests: (at) => call('keepers', 'requests', at),
      requestState: (hash, at) => call('keepers', 'requestState', hash, at),
      decide: (hash, state, at) => call('keepers', 'decide', hash, state, at),
    },
    invitations: {
      add: (invitation, keptSince) => call('invitations', 'add', invitation, keptSince),
      find: (hash) => call('invitations', 'find', hash),
      use: (hash, user, at) => call('invitations', 'use', hash, user, at),
      giveBack: (hash, user) => call('invitations', 'giveBack', hash, user),
      ofRoom: (room, at) => call('invitations', 'ofRoom', room, at),
      all: (at) => call('invitations', 'all', at),
      revoke: (hash, at) => call('invitations', 'revoke', hash, at),
      revokeOf: (user, room, at) => call('invitations', 'revokeOf', user, room, at),
    },
    presence: {
      seen: (users) => call('presence', 'seen', users),
      of: (users) => call('presence', 'of', users),
      hide: (user, hides) => call('presence', 'hide', user, hides),
      hideReads: (user, hides) => call('presence', 'hideReads', user, hides),
    },
    reports: {
      add: (report, most) => call('reports', 'add', report, most),
      open: (room, at) => call('reports', 'open', room, at),
      find: (id, at) => call('reports', 'find', id, at),
      close: (id, expiresAt) => call('reports', 'close', id, expiresAt),
      toKeepers: (id) => call('reports', 'toKeepers', id),
    },
    waiting: () => threads.waiting(),
    now: Date.now,
    ping: () => withTimeout(PING_TIMEOUT_MS, threads.ping()),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** A disk that hangs never answers: a health probe must not hang with it. */
const PING_TIMEOUT_MS = 2_000;
