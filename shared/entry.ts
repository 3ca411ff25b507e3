/**
 * Entries: the records of a room's log. Schemas and types for server and page. The room is not in the entry but in the frame
 * around it. Entries are loose objects: server and page store and forward unknown kinds and unknown fields unchanged.
 */
import * as v from 'valibot';
import { ClientOffset, UserId } from './ids.ts';

export const Offset = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
export const Head = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const Millis = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The fields of every entry. */
interface Envelope {
  serverOffset: number;
  author: string;
  clientOffset: string;
  /** Milliseconds since 1970 by the server's clock. Only for display; the order of entries is that of `serverOffset`. */
  at: number;
  /** The serverOffset of the entry that this one edits, deletes or refers to. */
  target?: number;
  /** The user concerned, if it is not the author. */
  subject?: string;
  /** A tombstone: its content was removed, since it or its target was deleted. The serverOffset stays. */
  deleted?: true;
  /** The server cannot read the stored record. */
  unreadable?: true;
}

const envelope = {
  serverOffset: Offset,
  author: UserId,
  clientOffset: ClientOffset,
  at: Millis,
  target: v.optional(Offset),
  subject: v.optional(UserId),
  deleted: v.optional(v.literal(true)),
  unreadable: v.optional(v.literal(true)),
};
const body = v.optional(v.string());
/** Names a message by its key, which it has before it has a serverOffset. */
export interface MessageKey {
  author: string;
  clientOffset: string;
}

/** Somebody whom a text mentions: it has `@` and `name`, which was theirs when it was written. */
export interface Mention {
  user: string;
  name: string;
}

/** Marked for the bundler: otherwise spreads of entries that the service worker does not parse would stay in it. */
/* @__NO_SIDE_EFFECTS__ */
function entryWith<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.looseObject({ ...envelope, ...entries });
}

/** A reply has `replyTo`, and `target` if the message was in the log when the reply was appended. */
export const TextEntry = entryWith({
  kind: v.literal('text'),
  body,
  replyTo: v.optional(v.looseObject({ author: UserId, clientOffset: ClientOffset })),
  mentions: v.optional(v.array(v.looseObject({ user: UserId, name: v.string() }))),
});
export const EditEntry = entryWith({ kind: v.literal('edit'), target: Offset, body });
export const DeleteEntry = entryWith({ kind: v.literal('delete'), target: Offset });
/** Joins, leaves, kinds that this version does not know, and unreadable entries. */
export const OtherEntry = entryWith({ kind: v.string() });

export const Entry: v.GenericSchema<unknown, Entry> = v.lazy((input): v.GenericSchema => {
  const { kind, unreadable } = (input ?? {}) as { kind?: unknown; unreadable?: unknown };
  if (unreadable === true) return OtherEntry;
  switch (kind) {
    case 'text':
      return TextEntry;
    case 'edit':
      return EditEntry;
    case 'delete':
      return DeleteEntry;
    default:
      return OtherEntry;
  }
}) as unknown as v.GenericSchema<unknown, Entry>;

// Entries may have further fields. The types leave them out, since no code reads them.
export type TextEntry = Envelope & {
  kind: 'text';
  body?: string;
  replyTo?: MessageKey;
  mentions?: Mention[];
};
export type EditEntry = Envelope & { kind: 'edit'; target: number; body?: string };
export type DeleteEntry = Envelope & { kind: 'delete'; target: number };
export type JoinEntry = Envelope & { kind: 'join' };
export type LeaveEntry = Envelope & { kind: 'leave' };
export type KnownEntry = TextEntry | EditEntry | DeleteEntry | JoinEntry | LeaveEntry;
export type OtherEntry = Envelope & { kind: string };
export type Entry = KnownEntry | OtherEntry;
/** An entry that replaces or removes the content of its target. */
export type Amendment = Envelope & { kind: string; target: number; body?: string };
