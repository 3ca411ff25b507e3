/**
 * The commands and replies between the append algorithm and a replica set. The algorithm is a generator: it yields a command
 * and is resumed with the reply. The server executes commands with the driver (execute.ts), the tests with a simulated
 * replica set.
 *
 * `from` of a read is a committed head. A primary that was deposed and has not noticed, or was just elected, may answer a
 * majority read from an older state. So a read must see the entry at `from` (0: any state will do), by the same query or by
 * causal consistency; otherwise the reply is `unknown`. Clients do not retry after `no-target`, so it must not be answered
 * from an older state: a missing target is looked up again with read concern linearizable, which is `unknown` on a deposed
 * primary.
 */

/** An entry as it is stored. A redacted one has `deleted` and neither `body` nor `content`. */
export interface EntryDocument {
  room: string;
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
  kind: string;
  body?: string;
  /** serverOffset of the message that this entry amends. */
  target?: number;
  subject?: string;
  /** All other fields of the entry. Absent for the first five kinds. */
  content?: Readonly<Record<string, unknown>>;
  /** As in `NewEntry`. Unique per room. */
  roleSeq?: number;
  deleted?: true;
  digest: string;
  /** Present until its side effects are applied: the redaction of a removal, the rows of members. */
  pending?: true;
  /** On the last entry of an insert: the process that made it. */
  by?: string;
}

/** serverOffset and time of the newest committed entry of a room; 0 and 0 of an empty room. No later entry has an earlier time. */
export interface RoomHead {
  serverOffset: number;
  at: number;
}

export type Command =
  /** Ordered, acknowledged by the majority with its journal. One room, consecutive serverOffsets. */
  | { do: 'insert'; documents: EntryDocument[] }
  /** The majority-committed head, read on the primary: at least `from`, since it never goes back. */
  | { do: 'head'; room: string; from: number }
  /** The majority-committed entries of these keys, read on the primary. */
  | { do: 'find'; room: string; keys: readonly AuthorKey[]; from: number }
  /** The majority-committed messages of these keys and whether a removal of them is committed, read on the primary. */
  | { do: 'targets'; room: string; keys: readonly AuthorKey[]; from: number }
  /** Resolves with the cached head when it is greater than `beyond`, or after `atMostMs`. */
  | { do: 'await-head'; room: string; beyond: number; atMostMs: number };

export interface AuthorKey {
  author: string;
  clientOffset: string;
}

export type InsertReply =
  /** All are durable. */
  | { tag: 'inserted' }
  /**
   * The first `inserted` are durable; for the next one another entry has the same serverOffset, the same key, or the same roleSeq.
   * With a write concern error besides, the reply is `unknown`: the first ones may be rolled back.
   */
  | { tag: 'duplicate'; inserted: number; of: 'serverOffset' | 'clientOffset' | 'roleSeq' }
  /** The first `inserted` are durable; the database refuses the content of the next one. A write concern error: as above. */
  | { tag: 'refused'; inserted: number; message: string }
  /** A write concern error, a timeout, a lost connection: any of the documents may be stored now, later, or never. */
  | UnknownOutcome;

/** The reply to each command. A read that fails is `unknown`. */
export interface Replies {
  insert: InsertReply;
  head: RoomHead | UnknownOutcome;
  /** In the order of the keys; undefined where no entry was seen. */
  find: (FoundEntry | undefined)[] | UnknownOutcome;
  /** In the order of the keys; undefined where certainly no entry exists. */
  targets: (Target | undefined)[] | UnknownOutcome;
  /** Undefined where the time of the cached head is unknown, or no head is cached. */
  'await-head': RoomHead | undefined;
}

export interface UnknownOutcome {
  tag: 'unknown';
  message: string;
}

export interface FoundEntry {
  serverOffset: number;
  at: number;
  digest: string;
  kind: string;
  target?: number;
  subject?: string;
  content?: Readonly<Record<string, unknown>>;
  pending?: true;
}

export interface Target {
  serverOffset: number;
  deleted: boolean;
}

export type Reply = Replies[Command['do']];

/** A run of the algorithm: yields commands, is resumed with their replies, and returns a T. */
export type Steps<T> = Generator<Command, T, Reply>;

export type Execute = <C extends Command>(command: C) => Promise<Replies[C['do']]>;

/** Runs the algorithm to its end. Rejects only where `execute` rejects. */
export async function runSteps<T>(steps: Steps<T>, execute: Execute): Promise<T> {
  let step = steps.next();
  while (!step.done) step = steps.next(await execute(step.value));
  return step.value;
}

/** `yield* ask(command)` is the reply to that command. Whoever resumes the generator must give a reply of its type. */
export function* ask<C extends Command>(command: C): Steps<Replies[C['do']]> {
  return (yield command) as Replies[C['do']];
}
