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
import type { EntryKind } from '../../../../shared/entry.ts';

/** An entry as it is stored. A blanked one has lost its `body` and says `deleted`. */
export interface EntryDocument {
  room: string;
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
  kind: EntryKind;
  body?: string;
  /** Of an edit or delete: the serverOffset of its text. */
  target?: number;
  deleted?: true;
  digest: string;
  /** Until what follows from it is done: the blanking after a delete, the member's row after a join or leave. */
  pending?: true;
  /** Of the last entry of an insert: the process that made it. */
  by?: string;
}

export type Command =
  /** Ordered, acknowledged by the majority with its journal. One room, consecutive serverOffsets. */
  | { do: 'insert'; documents: EntryDocument[] }
  /** The majority-committed head, read on the primary: at least `from`, since it never goes back. */
  | { do: 'head'; room: string; from: number }
  /** The majority-committed entries of these keys, read on the primary. */
  | { do: 'find'; room: string; keys: readonly AuthorKey[]; from: number }
  /** The majority-committed texts of these keys and whether a delete of them is committed, read on the primary. */
  | { do: 'targets'; room: string; keys: readonly AuthorKey[]; from: number }
  /** Resolves when the room's committed head is known to be beyond this, or after `atMostMs`: with the head that is known. */
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
  head: number | Unknown;
  /** In the order of the keys; undefined where none is seen. */
  find: (Found | undefined)[] | Unknown;
  /** In the order of the keys; undefined where there is none, for certain. */
  targets: (Target | undefined)[] | Unknown;
  'await-head': number;
}

export interface Unknown {
  tag: 'unknown';
  message: string;
}

export interface Found {
  serverOffset: number;
  at: number;
  digest: string;
  kind: EntryKind;
  target?: number;
  pending?: true;
}

export interface Target {
  serverOffset: number;
  deleted: boolean;
}
