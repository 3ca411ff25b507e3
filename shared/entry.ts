/**
 * One record of a room's log, as everybody sees it. The room is the frame's. An entry is a loose object: unknown kinds and
 * unknown fields are kept, stored and passed on as they came, by server and app alike.
 */
import * as v from 'valibot';
import { ClientOffset, UserId } from './ids.ts';

export const Offset = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
export const Head = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const Millis = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What every entry has. */
interface Envelope {
  serverOffset: number;
  author: string;
  clientOffset: string;
  /** Milliseconds since 1970 by the server's clock, for people to read; it orders nothing. */
  at: number;
  /** The serverOffset of the entry that it is about. */
  target?: number;
  /** The user that it is about, where that is not its author. */
  subject?: string;
  /** Its content is gone, its place stays: it was deleted, or changes something that was. */
  deleted?: true;
  /** The server cannot read what is stored at this place. */
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

export const TextEntry = v.looseObject({ ...envelope, kind: v.literal('text'), body });
export const EditEntry = v.looseObject({ ...envelope, kind: v.literal('edit'), target: Offset, body });
export const DeleteEntry = v.looseObject({ ...envelope, kind: v.literal('delete'), target: Offset });
/** Joins, leaves, kinds that this version does not know, and what the server cannot read. */
export const OtherEntry = v.looseObject({ ...envelope, kind: v.string() });

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

// The types leave out that there may be other fields: nobody reads what has no name here.
export type TextEntry = Envelope & { kind: 'text'; body?: string };
export type EditEntry = Envelope & { kind: 'edit'; target: number; body?: string };
export type DeleteEntry = Envelope & { kind: 'delete'; target: number };
export type JoinEntry = Envelope & { kind: 'join' };
export type LeaveEntry = Envelope & { kind: 'leave' };
export type KnownEntry = TextEntry | EditEntry | DeleteEntry | JoinEntry | LeaveEntry;
export type OtherEntry = Envelope & { kind: string };
export type Entry = KnownEntry | OtherEntry;
/** An entry that replaces or removes the content of another. */
export type Amendment = Envelope & { kind: string; target: number; body?: string };
