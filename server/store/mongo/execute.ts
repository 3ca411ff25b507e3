/**
 * Executes the commands of the append algorithm (append/) with the MongoDB driver. Never rejects because of the database:
 * the reply is `unknown` then.
 */
import type { ClientSession, MongoClient } from 'mongodb';
import { isMessage, kindsThat } from '../../../shared/kinds.ts';
import { assertNever } from '../../../shared/never.ts';
import { withTimeout } from '../../base/timeout.ts';
import { Unavailable } from '../port.ts';
import type {
  AuthorKey,
  Command,
  Execute,
  FoundEntry,
  Replies,
  Target,
  UnknownOutcome,
} from './append/commands.ts';
import type { Collections } from './base/collections.ts';
import { findByKeys, timeOf, whereAmends } from './base/entryDocuments.ts';
import { describeError, isDatabaseError } from './base/faults.ts';
import type { Insert } from './insert.ts';
import { type KnownHeads, readHead, staleAnswer } from './knownHeads.ts';
import { awaitTurn, type WriteTurns } from './writeTurns.ts';

interface Deps {
  client: Pick<MongoClient, 'withSession'>;
  collections: Collections;
  heads: KnownHeads;
  insert: Insert;
  turnsOf: (room: string) => WriteTurns;
}

/**
 * `until`: a time of the monotonic clock (performance.now). A command without a reply by then is `unknown`; the database may
 * still execute it.
 */
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
      return (await withTimeout(left, execute(command))) as never;
    } catch (error) {
      return { tag: 'unknown', message: reasonOf(error) } as never;
    }
  };

  function execute(command: Command): Promise<Replies[Command['do']]> {
    switch (command.do) {
      case 'insert':
        return insert(command.documents);
      case 'head':
        heads.learn(command.room, command.from);
        return readHead(collections, heads, command.room);
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

  /** This process has lost a race. It waits for its turn too, so that it does not lose the next race or make others lose. */
  async function awaitHead({ room, beyond, atMostMs }: Extract<Command, { do: 'await-head' }>) {
    if ((await heads.beyond(room, beyond, atMostMs)) > beyond) await awaitTurn(room, turnsOf(room), heads);
    return heads.newest(room);
  }

  /** Reads the entry at `from` first: later reads of the same causally consistent session see at least that state. */
  function seeing<T>(room: string, from: number, read: (session: ClientSession) => Promise<T>): Promise<T> {
    return client.withSession({ causalConsistency: true }, async (session) => {
      if (from > 0) {
        const witness = await collections
          .entriesOf(room)
          .findOne({ room, serverOffset: from }, { session, projection: { _id: 0, serverOffset: 1 } });
        if (!witness) throw staleAnswer();
      }
      return read(session);
    });
  }

  async function find(room: string, keys: readonly AuthorKey[], session: ClientSession) {
    const found = await findByKeys<FoundEntry & AuthorKey>(collections, room, keys, FOUND_FIELDS, session);
    return found.map((one) => one && { ...one, at: timeOf(one) });
  }

  /** Reads messages before removals, so that a removal that is committed between the two reads is seen. */
  async function targets(
    room: string,
    keys: readonly AuthorKey[],
    session: ClientSession,
  ): Promise<(Target | undefined)[]> {
    const found = await find(room, keys, session);
    const sure = await Promise.all(
      keys.map(async (key, i) => found[i] ?? (await findLinearizable(room, key))),
    );
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

  /**
   * Clients do not retry after `no-target`, so it must not be answered from the state of a deposed primary: a missing target
   * is looked up again with read concern linearizable.
   */
  function findLinearizable(room: string, { author, clientOffset }: AuthorKey) {
    return collections
      .entriesOf(room)
      .findOne<FoundEntry>(
        { room, author, clientOffset },
        { projection: FOUND_FIELDS, readConcern: 'linearizable', maxTimeMS: LINEARIZABLE_WITHIN_MS },
      );
  }
}

/** A linearizable read waits until the primary has committed a write, which never happens on one without a majority. */
const LINEARIZABLE_WITHIN_MS = 5_000;

const FOUND_FIELDS = {
  serverOffset: 1,
  at: 1,
  digest: 1,
  kind: 1,
  target: 1,
  subject: 1,
  content: 1,
  pending: 1,
} as const;

const TOO_LATE: UnknownOutcome = { tag: 'unknown', message: 'there was no time left to ask the database' };

/** Rethrows an error that did not come from the database. */
function reasonOf(error: unknown): string {
  if (error instanceof Unavailable) return error.message;
  if (isDatabaseError(error)) return describeError(error);
  throw error;
}
