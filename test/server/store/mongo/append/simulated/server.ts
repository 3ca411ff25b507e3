/** How the members of the simulated replica set treat commands: what insertJob.ts and readJob.ts have in common. */
import type {
  EntryDocument,
  Reply,
  UnknownOutcome,
} from '../../../../../../server/store/mongo/append/commands.ts';

/** How a server behaves; anything but SOUND is broken on purpose. */
export interface ServerRules {
  /** Whether an answer waits until what it speaks of is committed. */
  waits: 'always' | 'unless a document failed' | 'never';
  ordered: boolean;
  unique: { serverOffset: boolean; clientOffset: boolean };
  /** Reads that see what is not committed yet. */
  readsLocally: 'none' | 'head' | 'find' | 'targets';
  /** Whether a read that sees less than `from` says so. */
  guardsFrom: boolean;
  /** Whether a target that is missing is looked up again with a read that is linearizable. */
  makesSure: boolean;
  /** Which entries a look-up of targets takes for messages, and which for removals of them. */
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

/** Counts what happened: a run that never has it shows nothing of it. */
export type Note = (what: string) => void;

export const POISON = 'poison';

/** A command that a member is at. */
export interface Job {
  /** One step: one document, a read, or a look whether it is committed. The reply at the end. */
  advance(): Reply | undefined;
  /** A step would change something. */
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
