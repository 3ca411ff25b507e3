/** The append algorithm's commands, by the driver. Never rejects for a reason of the database: that is `unknown`. */
import type { ClientSession, MongoClient } from 'mongodb';
import { isMessage, kindsThat } from '../../../shared/kinds.ts';
import { assertNever } from '../../../shared/never.ts';
import { withTimeout } from '../../base/timeout.ts';
import { Unavailable } from '../port.ts';
import type { AuthorKey, Command, Found, Replies, Target, Unknown } from './append/commands.ts';
import type { Execute } from './append/steps.ts';
import { timeOf } from './entry.ts';
import { isOfTheDatabase, messageOf } from './faults.ts';
import type { Heads } from './heads.ts';
import type { Insert } from './insert.ts';
import { fromThePast, headFrom, underKeys, whereAmends } from './queries.ts';
import type { Collections } from './schema.ts';
import { myTurn, type Turns } from './turns.ts';

interface Deps {
  client: Pick<MongoClient, 'withSession'>;
  collections: Collections;
  heads: Heads;
  insert: Insert;
  turnsOf: (room: string) => Turns;
}

/** `until`, by the monotonic clock: what has no reply by then is `unknown`; the command itself may go on. */
export function createExecute({
  client,
  collections,
  heads,
  insert,
  turnsOf,
}: Deps): (until: number) => Execute {
  return (until) => async (command) => {
    const left = until - performance.now();
    if (left <= 0) return TOO_LATE as never;
    try {
      return (await withTimeout(left, carryOut(command))) as never;
    } catch (error) {
      return { tag: 'unknown', message: reasonOf(error) } as never;
    }
  };

  function carryOut(command: Command): Promise<Replies[Command['do']]> {
    switch (command.do) {
      case 'insert':
        return insert(command.documents);
      case 'head':
        heads.heard(command.room, command.from);
        return headFrom(collections, heads, command.room);
      case 'find':
        return seeing(command.room, command.from, (session) => find(command.room, command.keys, session));
      case 'targets':
        return seeing(command.room, command.from, (session) => targets(command.room, command.keys, session));
      case 'await-head':
        return awaitHead(command);
      default:
        return assertNever(command);
    }
  }

  /** Whoever waits has lost a race: it is not to lose the next one, nor to have others lose it. */
  async function awaitHead({ room, beyond, atMostMs }: Extract<Command, { do: 'await-head' }>) {
    if ((await heads.beyond(room, beyond, atMostMs)) > beyond) await myTurn(room, turnsOf(room), heads);
    return heads.newest(room);
  }

  /** The entry at `from` is read first; what follows in the same session sees at least what that read saw. */
  function seeing<T>(room: string, from: number, read: (session: ClientSession) => Promise<T>): Promise<T> {
    return client.withSession({ causalConsistency: true }, async (session) => {
      if (from > 0) {
        const witness = await collections
          .entriesOf(room)
          .findOne({ room, serverOffset: from }, { session, projection: { _id: 0, serverOffset: 1 } });
        if (!witness) throw fromThePast();
      }
      return read(session);
    });
  }

  async function find(room: string, keys: readonly AuthorKey[], session: ClientSession) {
    const found = await underKeys<Found & AuthorKey>(collections, room, keys, FOUND_FIELDS, session);
    return found.map((one) => one && { ...one, at: timeOf(one) });
  }

  /** Messages first: a removal that is committed between the two reads is seen by the second. */
  async function targets(
    room: string,
    keys: readonly AuthorKey[],
    session: ClientSession,
  ): Promise<(Target | undefined)[]> {
    const found = await find(room, keys, session);
    const sure = await Promise.all(keys.map(async (key, i) => found[i] ?? (await certainly(room, key))));
    const messages = sure.map((one) => (one && isMessage(one) ? one : undefined));
    const offsets = messages.flatMap((message) => message?.serverOffset ?? []);
    const removals = await collections
      .entriesOf(room)
      .find(whereAmends(room, offsets, kindsThat('remove')), { session })
      .project<{ target: number }>({ _id: 0, target: 1 })
      .toArray();
    const removed = new Set(removals.map(({ target }) => target));
    return messages.map(
      (message) =>
        message && { serverOffset: message.serverOffset, deleted: removed.has(message.serverOffset) },
    );
  }

  /** That there is none is said to a person: not by a primary that is none any more and does not know it. */
  function certainly(room: string, { author, clientOffset }: AuthorKey) {
    return collections
      .entriesOf(room)
      .findOne<Found>(
        { room, author, clientOffset },
        { projection: FOUND_FIELDS, readConcern: 'linearizable', maxTimeMS: LINEARIZABLE_WITHIN_MS },
      );
  }
}

/** It waits for a write of the primary's to be committed, which never is where the majority is elsewhere. */
const LINEARIZABLE_WITHIN_MS = 5_000;

const FOUND_FIELDS = {
  serverOffset: 1,
  at: 1,
  digest: 1,
  kind: 1,
  target: 1,
  subject: 1,
  pending: 1,
} as const;

const TOO_LATE: Unknown = { tag: 'unknown', message: 'there was no time left to ask the database' };

/** Throws what the database has no part in. */
function reasonOf(error: unknown): string {
  if (error instanceof Unavailable) return error.message;
  if (isOfTheDatabase(error)) return messageOf(error);
  throw error;
}
