/**
 * The store on one SQLite file. The database lives in a worker thread, so that no fsync stalls the event loop;
 * this side forwards calls, hands out what was committed to the tails, and starts the thread again when it dies.
 */
import type { Logger } from 'pino';
import { within } from '../../within.ts';
import { type AppendOutcome, type NewEntry, type Store, Unavailable } from '../port.ts';
import { openTails } from './tail.ts';
import { startThread } from './thread.ts';

/**
 * Opens the file, making it and its folder where there is none, and holds it for this process alone.
 * Rejects with `Unusable`, whose message says what to do, when it cannot be used as it is.
 */
export async function openSqlite(options: {
  file: string;
  log: Pick<Logger, 'warn' | 'error'>;
}): Promise<Store> {
  const thread = await startThread({ ...options, onRestart: () => tails.catchUp() });
  const { call } = thread;
  const tails = openTails({
    epoch: () => thread.epoch(),
    isRunning: () => thread.isRunning(),
    lastSeq: () => call('log', 'lastSeq'),
    since: (seq, limit) => call('log', 'since', seq, limit),
    log: options.log,
  });

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

  return {
    get epoch() {
      return thread.epoch();
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
    ping: () => within(PING_TIMEOUT_MS, call('database', 'ping')),
    async close() {
      await thread.close();
      tails.close();
    },
  };
}

/** A disk that hangs answers nothing at all: a probe must not hang with it. */
const PING_TIMEOUT_MS = 2_000;
