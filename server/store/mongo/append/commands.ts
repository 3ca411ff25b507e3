/**
 * What the append algorithm asks of a replica set, and what it may hear back. The algorithm yields a command and is
 * resumed with its reply: the driver carries them out in the server, a simulated replica set in the tests.
 *
 * `from` of a read is a head that is known to be committed. A primary that was deposed without knowing it, or elected a
 * moment ago, may answer a majority read from an older state: a read must see the entry at `from` (0: anything will do),
 * by the same query or by causal consistency, or else reply `unknown`. That there is no target is answered to a person
 * and not tried again by itself, so that an older state must not say it: a target that is missing is looked up a second
 * time with read concern linearizable, which is `unknown` on a primary that is none any more.
 */

/** An entry as it is stored. A redacted one has lost its `body` and `content` and says `deleted`. */
export interface EntryDocument {
  room: string;
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
  kind: string;
  body?: string;
  /** The serverOffset of the message that it is about. */
  target?: number;
  subject?: string;
  /** The fields of the entry that have no field of their own here. Never of the first five kinds. */
  content?: Readonly<Record<string, unknown>>;
  deleted?: true;
  digest: string;
  /** Until what follows from it is done: the redaction after a removal, the member's row after a change of membership. */
  pending?: true;
  /** Of the last entry of an insert: the process that made it. */
  by?: string;
}

/** The newest committed entry of a room: its place, and its time, below which no later entry is stamped. 0 and 0 of an empty room. */
export interface Head {
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
  /** Resolves when the room's committed head is known to be beyond this, or after `atMostMs`: with what is known of it. */
  | { do: 'await-head'; room: string; beyond: number; atMostMs: number };

export interface AuthorKey {
  author: string;
  clientOffset: string;
}

export type InsertReply =
  /** All are durable. */
  | { tag: 'inserted' }
  /**
   * The first `inserted` are durable; the next one met another entry at its serverOffset, or under its key.
   * With a write concern error beside it, it is `unknown`: the first ones may be rolled back.
   */
  | { tag: 'duplicate'; inserted: number; of: 'serverOffset' | 'clientOffset' }
  /** The first `inserted` are durable; the next one is refused by the database for its content. The same holds here. */
  | { tag: 'refused'; inserted: number; message: string }
  /** A write concern error, a timeout, a lost connection: any of them may be there, now or later. */
  | Unknown;

/** What the reply to each command is; a read that cannot be made is `unknown`. */
export interface Replies {
  insert: InsertReply;
  head: Head | Unknown;
  /** In the order of the keys; undefined where none is seen. */
  find: (Found | undefined)[] | Unknown;
  /** In the order of the keys; undefined where there is none, for certain. */
  targets: (Target | undefined)[] | Unknown;
  /** Undefined where only the place of the head is known, or nothing. */
  'await-head': Head | undefined;
}

export interface Unknown {
  tag: 'unknown';
  message: string;
}

export interface Found {
  serverOffset: number;
  at: number;
  digest: string;
  kind: string;
  target?: number;
  subject?: string;
  pending?: true;
}

export interface Target {
  serverOffset: number;
  deleted: boolean;
}
