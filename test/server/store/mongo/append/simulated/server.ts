/** How members of the simulated replica set execute commands: what insertJob.ts and readJob.ts share. */
import type {
  EntryDocument,
  Reply,
  UnknownOutcome,
} from '../../../../../../server/store/mongo/append/commands.ts';

/** The behaviour of a server; anything but SOUND is a deliberate fault. */
export interface ServerRules {
  /** Whether an answer waits until its result is committed. */
  waits: 'always' | 'unless a document failed' | 'never';
  ordered: boolean;
  unique: { serverOffset: boolean; clientOffset: boolean };
  /** Reads that also see uncommitted entries. */
  readsLocally: 'none' | 'head' | 'find' | 'targets';
  /** Whether a read that does not see `from` is `unknown`. */
  guardsFrom: boolean;
  /** Whether a missing target is looked up again with a linearizable read. */
  makesSure: boolean;
  /** Which entries a lookup of targets treats as messages, and which as removals. */
  messages: 'by the table' | 'texts';
  removals: 'by the table' | 'deletes';
}

export const SOUND: ServerRules = {
  waits: 'always',
  ordered: true,
  unique: { serverOffset: true, clientOffset: true },
  readsLocally: 'none',
  guardsFrom: true,
  makesSure: true,
  messages: 'by the table',
  removals: 'by the table',
};

/** Counts events: runs in which an event never happens do not test it. */
export type Note = (what: string) => void;

export const POISON = 'poison';

/** A command that a member executes. */
export interface Job {
  /** Runs one step: one document, a read, or a check whether it is committed. Returns the reply at the end. */
  advance(): Reply | undefined;
  /** True if a step would change something. */
  canAdvance(): boolean;
}

export const SAME = {
  serverOffset: (one: EntryDocument, other: EntryDocument) => one.serverOffset === other.serverOffset,
  clientOffset: (one: EntryDocument, other: Pick<EntryDocument, 'author' | 'clientOffset'>) =>
    one.author === other.author && one.clientOffset === other.clientOffset,
};

export function unknown(message: string): UnknownOutcome {
  return { tag: 'unknown', message };
}
