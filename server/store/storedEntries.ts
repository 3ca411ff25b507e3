/**
 * Reading entries, for both adapters: validates what is stored (a row or document may have been changed by hand or by a disk
 * fault), and cuts a range by its size.
 */
import type { Entry, Mention } from '../../shared/entry.ts';
import { makesRoom } from '../../shared/kinds.ts';
import type { RoomKind } from '../../shared/protocol/index.ts';
import type { NewEntry, NewRoom } from './port.ts';

/** An entry as the database returns it, not validated. */
export type StoredEntry = { serverOffset: number } & Record<string, unknown>;

/**
 * Returns the entry itself if it is valid, otherwise an `unreadable` one in its place that every client can parse: so the log
 * has no gap, and the rest of the room stays readable. Unknown kinds and fields are passed on unchanged.
 */
export function asEntry(stored: StoredEntry): Entry {
  return isEntry(stored) ? (stored as unknown as Entry) : unreadable(stored);
}

/** The largest prefix of `entries` that fits into `maxBytes` as a JSON array; at least one entry, so that callers make progress. */
export function upToBytes(entries: Iterable<Entry>, maxBytes: number): Entry[] {
  const prefix: Entry[] = [];
  let bytes = 1; // brackets and commas: one per entry, plus one
  for (const entry of entries) {
    bytes += jsonBytes(entry) + 1;
    if (bytes > maxBytes && prefix.length > 0) break;
    prefix.push(entry);
  }
  return prefix;
}

function isEntry({
  author,
  clientOffset,
  at,
  kind,
  target,
  subject,
  body,
  deleted,
  unreadable,
  replyTo,
  mentions,
}: StoredEntry) {
  if (!isId(author) || !isId(clientOffset) || !isMillis(at) || typeof kind !== 'string') return false;
  if (unreadable !== undefined || (deleted !== undefined && deleted !== true)) return false;
  if (target !== undefined && !isOffset(target)) return false;
  if (subject !== undefined && !isId(subject)) return false;
  const hasBody = typeof body === 'string' || (deleted === true && body === undefined);
  switch (kind) {
    case 'text':
      return hasBody && (replyTo === undefined || isMessageKey(replyTo)) && areMentions(mentions);
    case 'edit':
      return target !== undefined && hasBody;
    case 'delete':
      return target !== undefined;
    default:
      return true;
  }
}

function unreadable({ serverOffset, author, clientOffset, at, kind }: StoredEntry): Entry {
  return {
    serverOffset,
    author: isId(author) ? author : NOBODY,
    clientOffset: isId(clientOffset) ? clientOffset : NOBODY,
    at: isMillis(at) ? at : 0,
    kind: typeof kind === 'string' ? kind : 'unreadable',
    unreadable: true,
  };
}

/** An id that no user has: a random id equals it with a probability of 2^-128. */
const NOBODY = 'A'.repeat(22);
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

function areMentions(value: unknown): boolean {
  if (value === undefined) return true;
  const isMention = ({ user, name }: Record<string, unknown>) => isId(user) && typeof name === 'string';
  return Array.isArray(value) && value.every((each) => isMention(Object(each)));
}

function isMessageKey(value: unknown): boolean {
  const { author, clientOffset } = Object(value) as Record<string, unknown>;
  return isId(author) && isId(clientOffset);
}

function isMillis(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isOffset(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** The size of a value on the wire: bytes of its JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The other users whom an entry mentions, each once. */
export function mentionedBy({ author, content }: Pick<NewEntry, 'author' | 'content'>): string[] {
  const mentions = (content?.mentions ?? []) as readonly Mention[];
  return [...new Set(mentions.map(({ user }) => user))].filter((user) => user !== author);
}

/** The room that an entry makes; undefined for an entry of any other kind. */
export function roomMadeBy(
  { room: id, author: createdBy, kind, content }: Pick<NewEntry, 'room' | 'author' | 'kind' | 'content'>,
  createdAt: number,
): NewRoom | undefined {
  if (!makesRoom(kind)) return undefined;
  const { roomKind, name } = content as { roomKind: RoomKind; name: string };
  return { id, kind: roomKind, name, createdBy, createdAt };
}
