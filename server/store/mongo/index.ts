/**
 * The store on a MongoDB replica set, for any number of processes. A room's log is written by compare-and-swap on its head
 * (append/), read with read concern majority, and followed through one change stream per process (tail/).
 */
import { randomBytes } from 'node:crypto';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { throttled } from '../../base/throttled.ts';
import type { Store } from '../port.ts';
import { appendOn } from './append.ts';
import { createApplySideEffects } from './applySideEffects.ts';
import { collectionsOf } from './base/collections.ts';
import { batchedReads } from './batchedReads.ts';
import { createCallGuard } from './callGuard.ts';
import { createExecute } from './execute.ts';
import { createInsert } from './insert.ts';
import { invitationsOn } from './invitationStore.ts';
import { keepersOn } from './keeperStore.ts';
import { createKnownHeads } from './knownHeads.ts';
import { readsOn } from './logReads.ts';
import { messagesOn } from './messageCounts.ts';
import { connectMongo, type Patience } from './open/connect.ts';
import { watchClock } from './open/databaseClock.ts';
import { watchVersion } from './open/databaseVersion.ts';
import { presenceOn } from './presenceStore.ts';
import { rangesOn } from './readRange.ts';
import { startRepair } from './repairSideEffects.ts';
import { reportsOn } from './reportStore.ts';
import { createRoomActivity } from './roomActivity.ts';
import { createMemberCounts, roomsOn } from './roomStore.ts';
import { changesOf } from './tail/changeStream.ts';
import { createTails } from './tail/tail.ts';
import { usersOn } from './userStore.ts';
import { writeTurnsByRoom } from './writeTurns.ts';

export interface MongoStore extends Store {
  readonly db: Db;
  /** The same database, for what reads change streams: the Socket.IO adapter (socketAdapter.ts). */
  readonly streams: Db;
}

interface Options {
  url: string;
  log: Pick<Logger, 'warn' | 'error'>;
  /** For tests. */
  patience?: Partial<Patience>;
}

/**
 * Rejects with `Unusable` when the database cannot be used as it is, or with `Unavailable` when it does not answer for half a
 * minute; the message says what to do.
 */
export async function openMongo({ url, log, patience }: Options): Promise<MongoStore> {
  const connection = await connectMongo({ url, log, ...(patience && { patience }) });
  const { client, db, streams, address, meta } = connection;
  const { epoch } = meta;
  const collections = collectionsOf(db);
  const guard = createCallGuard(log);
  const version = watchVersion({ collections, address, meta, guard, log });
  const { takesNewKinds } = version;
  const clock = watchClock({ first: connection.clocks, db, pass: guard.pass, log });
  const heads = createKnownHeads();
  const me = randomBytes(4).toString('base64url'); // unique among some tens of processes
  const turnsOf = writeTurnsByRoom(me, () => performance.now());
  const counts = createMemberCounts(collections, () => performance.now());
  const applySideEffects = createApplySideEffects({ collections, onMembers: counts.invalidate });
  const repair = startRepair({ collections, applySideEffects, pass: guard.pass });
  const onUnreadable = throttled(LOG_EVERY_MS, (rooms: ReadonlyMap<string, string>) =>
    log.warn({ rooms: Object.fromEntries([...rooms].slice(0, LOG_ROOMS)), of: rooms.size }, UNREADABLE),
  );
  const reads = readsOn({ collections, heads, onUnreadable });
  const activity = createRoomActivity({
    rooms: collections.rooms,
    pass: guard.pass,
    now: () => performance.now(),
  });
  const {
    exists: roomExists,
    ofEachUser,
    ...rooms
  } = roomsOn({
    collections,
    heads: reads.heads,
    counts,
    applySideEffects,
    activity,
  });
  const tails = createTails({
    epoch,
    source: changesOf(streams, collectionsOf(streams).entries[0]!),
    onHead(room, { serverOffset, at }, by) {
      if (by !== undefined) turnsOf(room).wrote(by, serverOffset);
      heads.learn(room, serverOffset, at);
    },
    onDocuments(documents) {
      for (const entry of documents) counts.delivered(entry);
      repair.delivered(documents);
    },
    log,
  });
  const { byTokens, changedAroundEach, ...users } = usersOn(collections, version, clock.now);
  const { unreadOfEach, ...messages } = messagesOn(collections, heads);
  const batched = batchedReads({
    guard,
    byTokens,
    changedAroundEach,
    ofEachUser,
    unreadOfEach,
    timesAt: reads.timesAt,
  });
  const insert = createInsert({
    collections,
    by: me,
    onDurable(room, { serverOffset, at }, tookMs) {
      turnsOf(room).wrote(me, serverOffset);
      turnsOf(room).took(tookMs);
      heads.learn(room, serverOffset, at);
      tails.expect(room, serverOffset);
      activity.appended(room, at);
    },
  });
  const execute = createExecute({ client, collections, heads, insert, turnsOf });

  return {
    db,
    streams,
    epoch,
    takesNewKinds,
    log: {
      ...guard.wrap(
        {
          ...reads,
          ...messages,
          ...rangesOn({ client, collections, heads }),
        },
        ['range'],
      ),
      ...batched.log,
      append: appendOn({ execute, heads, applySideEffects, roomExists, guard, takesNewKinds, turnsOf }),
      tail: (from, listener) => guard.pass(() => tails.open(from, listener)),
      writesByRoom: true,
    },
    users: {
      ...guard.wrap(users, ['changedSince']),
      ...batched.users,
    },
    rooms: {
      ...guard.wrap(rooms, ['listPublic', 'searchPublic', 'ofUsers']),
      ...batched.rooms,
    },
    keepers: guard.wrap(keepersOn(collections), ['firstUser']),
    invitations: guard.wrap(invitationsOn(collections), ['all']),
    presence: guard.wrap(presenceOn(collections), ['of']),
    reports: guard.wrap(reportsOn(collections), ['open']),
    now: clock.now,
    waiting: guard.waiting,
    ping: () => guard.pass(async () => void (await db.command({ ping: 1 })), PING_WITHIN_MS),
    async close() {
      version.close();
      clock.close();
      repair.close();
      await guard.close();
      tails.close();
      await connection.close();
    },
  };
}

/** A health probe must not wait long. */
const PING_WITHIN_MS = 2_000;
/** Rooms that cannot be read: one log line per interval, with this many of their ids. */
const LOG_EVERY_MS = 10_000;
const LOG_ROOMS = 10;
const UNREADABLE = 'the heads of these rooms cannot be read; if a backup was restored, restart every server';
