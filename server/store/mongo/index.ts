/**
 * The store on a MongoDB replica set, for any number of processes. A room's log is written by compare-and-swap on its
 * head (append/), read by majority, and heard of by one change stream (tail.ts).
 */
import { randomBytes } from 'node:crypto';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Store } from '../port.ts';
import { connect } from './connect.ts';
import { createCounts } from './counts.ts';
import { createExecute } from './execute.ts';
import { createFollow } from './follow.ts';
import { createGate } from './gate.ts';
import { createHeads } from './heads.ts';
import { createInsert } from './insert.ts';
import { createAppend } from './log.ts';
import { messagesOn } from './messages.ts';
import { createRange } from './range.ts';
import { readsOn } from './reads.ts';
import { startRepair } from './repair.ts';
import { roomsOn } from './rooms.ts';
import { collectionsOf } from './schema.ts';
import { seldom } from './seldom.ts';
import { createTails } from './tail.ts';
import { changesOf } from './tailSource.ts';
import { turnsByRoom } from './turns.ts';
import { usersOn } from './users.ts';
import { watchVersion } from './version.ts';

export interface MongoStore extends Store {
  /** For what is ephemeral between processes. */
  readonly db: Db;
}

/** Rejects with `Unusable`, whose message says what to do, when the database cannot be used as it is. */
export async function openMongo({
  url,
  log,
}: {
  url: string;
  log: Pick<Logger, 'warn' | 'error'>;
}): Promise<MongoStore> {
  const { client, db, at, meta } = await connect(url, log);
  const { epoch } = meta;
  const collections = collectionsOf(db);
  const gate = createGate(log);
  const version = watchVersion({ collections, at, meta, gate, log });
  const { takesNewKinds } = version;
  const heads = createHeads();
  const me = randomBytes(4).toString('base64url'); // among some tens of processes
  const turnsOf = turnsByRoom(me, () => performance.now());
  const counts = createCounts(collections, () => performance.now());
  const follow = createFollow({ collections, onMembers: counts.changed });
  const repair = startRepair({ collections, follow, pass: gate.pass });
  const onLost = seldom(SAID_EVERY_MS, (rooms: ReadonlyMap<string, string>) =>
    log.warn({ rooms: Object.fromEntries([...rooms].slice(0, SAID_ROOMS)), of: rooms.size }, LOST),
  );
  const reads = readsOn({ collections, heads, onLost });
  const { exists, ...rooms } = roomsOn({ collections, heads: reads.heads, counts });
  const tails = createTails({
    epoch,
    source: changesOf(db, collections.entries[0]!),
    onHead(room, { serverOffset, at }, by) {
      if (by !== undefined) turnsOf(room).wrote(by, serverOffset);
      heads.heard(room, serverOffset, at);
    },
    finish: (entries) => gate.pass(() => repair.finish(entries)),
    log,
  });
  const insert = createInsert({
    collections,
    by: me,
    onDurable(room, { serverOffset, at }, tookMs) {
      turnsOf(room).wrote(me, serverOffset);
      turnsOf(room).took(tookMs);
      heads.heard(room, serverOffset, at);
      tails.expect(room, serverOffset);
    },
  });
  const execute = createExecute({ client, collections, heads, insert, turnsOf });

  return {
    db,
    epoch,
    takesNewKinds,
    log: {
      ...gate.guard({
        ...reads,
        ...messagesOn(collections),
        range: createRange({ client, collections, heads }),
      }),
      append: createAppend({ execute, heads, follow, exists, gate, takesNewKinds, turnsOf }),
      tail: (from, listener) => gate.pass(() => tails.open(from, listener)),
      writesByRoom: true,
    },
    users: gate.guard(usersOn(collections)),
    rooms: gate.guard(rooms),
    ping: () => gate.pass(async () => void (await db.command({ ping: 1 })), PING_WITHIN_MS),
    async close() {
      version.close();
      repair.close();
      await gate.close();
      tails.close();
      await client.close();
    },
  };
}

/** Whoever probes does not wait for long. */
const PING_WITHIN_MS = 2_000;
/** Of rooms that fail alone: so often, and so many by their id. */
const SAID_EVERY_MS = 10_000;
const SAID_ROOMS = 10;
const LOST = 'rooms that cannot be told of now; where a backup was put back, restart every server';
