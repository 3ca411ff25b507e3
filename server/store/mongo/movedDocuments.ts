/**
 * The documents of this adapter for what `npm run migrate` moves. What it stores beyond the source's tables is chosen such that
 * every later change counts: an entry that is appended after the move has a greater serverOffset than any that is named here.
 */
import type { Collection, Document, Filter } from 'mongodb';
import type { RoomAbout } from '../../../shared/aboutRoom.ts';
import type { RoomKind, RoomRole } from '../../../shared/protocol/index.ts';
import { MOVED_KEYS, type MovedEntry, type MovedKey, type MovedPart, type MovedRows } from '../move.ts';
import type { NewReport, RequestState } from '../port.ts';
import type { EntryDocument } from './append/commands.ts';
import { type Collections, type ReportDocument, settingsId } from './base/collections.ts';
import { entryOf } from './base/entryDocuments.ts';
import { openReportKey } from './reportStore.ts';

/** Side effects are applied already, so it is not `pending`. */
export function entryDocumentOf(moved: MovedEntry): EntryDocument {
  const { room, serverOffset, author, clientOffset, at, kind, digest } = moved;
  const document: EntryDocument = {
    room,
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(moved.body !== null && { body: moved.body }),
    ...(moved.target !== null && { target: moved.target }),
    ...(moved.subject !== null && { subject: moved.subject }),
    ...(moved.content !== null && { content: contentIn(moved.content) }),
    ...(moved.deleted && { deleted: true as const }),
    digest,
    ...(moved.roleSeq !== null && { roleSeq: moved.roleSeq }),
  };
  // what cannot be read there stays so here, in a form that the validator takes
  return entryOf(document).unreadable ? { ...document, body: '', content: UNREADABLE } : document;
}

const UNREADABLE = { unreadable: true };

function contentIn(json: string): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(json);
    if (typeof content === 'object' && content !== null && !Array.isArray(content))
      return content as Record<string, unknown>;
  } catch {
    // not JSON
  }
  return UNREADABLE;
}

/** The document of a row, in the collection of `collectionOf`. */
export function documentOf<Part extends MovedPart>(part: Part, row: MovedRows[Part]): Document {
  return DOCUMENTS[part](row);
}

const DOCUMENTS: { [Part in MovedPart]: (row: MovedRows[Part]) => Document } = {
  users: ({ id, name, nameKey, passwordHash, createdAt, rev, recoveryHash, renames }) => ({
    _id: id,
    name,
    nameKey,
    ...(passwordHash !== null && { passwordHash }),
    ...(recoveryHash !== null && { recoveryHash }),
    createdAt,
    ...(rev > 0 && { rev }),
    ...(renames !== '[]' && { renames: JSON.parse(renames) }),
  }),
  devices: ({ id, user, tokenHash, claimHash, createdAt, seenAt }) => ({
    _id: id,
    user,
    tokenHash,
    ...(claimHash !== null && { claimHash }),
    createdAt,
    seenAt,
  }),
  // the trace of a device whose id and user nobody knows any more
  signedOut: ({ tokenHash, at }) => ({
    _id: signedOutId(tokenHash),
    user: '',
    tokenHash,
    createdAt: at,
    seenAt: at,
    removedAt: at,
  }),
  rooms: ({ id, kind, name, createdBy, createdAt, activeAt, about }) => ({
    _id: id,
    kind: kind as RoomKind,
    name,
    createdBy,
    createdAt,
    activeAt,
    ...(about !== null && aboutIn(JSON.parse(about))),
  }),
  members: ({ room, user, present, serverOffset, role, banned }) => ({
    room,
    user,
    present: present === 1,
    serverOffset,
    // a role was given after the join
    ...(role !== null && { role: role as RoomRole, roleOffset: serverOffset + 1 }),
    // the entry that bans also ends the membership
    ...(banned === 1 && { banned: true, banOffset: Math.max(1, serverOffset) }),
  }),
  marks: ({ room, user, upTo }) => ({ room, user, upTo }),
  reached: ({ room, user, first, last }) => ({ room, user, from: first, to: last }),
  settings: ({ room, user, chosen }) => ({ _id: settingsId(room, user), ...JSON.parse(chosen) }),
  passes: ({ hash, claimHash, ...pass }) => ({
    _id: hash,
    ...pass,
    ...(claimHash !== null && { claimHash }),
  }),
  keepers: ({ user, since }) => ({ _id: user, since }),
  suspensions: ({ user, since }) => ({ _id: user, since }),
  requests: ({ hash, state, ...request }) => ({ _id: hash, ...request, state: state as RequestState }),
  invitations: ({ hash, makesAccounts, revokedAt, users, ...invitation }) => ({
    _id: hash,
    ...invitation,
    makesAccounts: makesAccounts === 1,
    users: JSON.parse(users),
    ...(revokedAt !== null && { revokedAt }),
  }),
  presence: ({ user, seenAt, hides, hidesReads }) => ({
    _id: user,
    ...(seenAt > 0 && { seenAt }),
    ...(hides === 1 && { hides: true }),
    ...(hidesReads === 1 && { hidesReads: true }),
  }),
  reports: (row) => reportDocument(row),
};

/** Of the name, too, any later change counts. */
function aboutIn({ upTo, ...fields }: RoomAbout): Document {
  const names = [...Object.keys(fields), 'name'];
  return {
    ...(names.length > 1 && { about: fields }),
    aboutOffsets: Object.fromEntries(names.map((name) => [name, upTo])),
  };
}

function reportDocument(row: MovedRows['reports']): ReportDocument {
  const { id, createdBy, createdAt, about, room, serverOffset, head, shown, reason, expiresAt } = row;
  const message = { room, serverOffset, head, ...(shown !== null && { shown: JSON.parse(shown) }) };
  const what = { createdBy, about, ...(room !== '' && { message }) };
  return {
    _id: id,
    ...what,
    createdAt,
    recipients: row.recipients as NewReport['recipients'],
    ...(reason !== null && { reason }),
    expiresAt,
    ...(row.closed === 0 && { open: openReportKey(what) }),
  };
}

function signedOutId(tokenHash: string): string {
  return `signed-out ${tokenHash}`;
}

/** Devices and the traces of those that were signed out share a collection. */
export function collectionOf(collections: Collections, part: MovedPart): Collection<Document> {
  const { entriesOf: _, entries: __, meta: ___, ...others } = collections;
  return others[part === 'signedOut' ? 'devices' : part] as unknown as Collection<Document>;
}

/** The documents of a part in its collection. */
export function wherePart(part: MovedPart): Filter<Document> {
  if (part === 'devices') return { removedAt: { $exists: false } };
  return part === 'signedOut' ? { removedAt: { $exists: true } } : {};
}

/** The document of the row with this key. */
export function whereKey(part: MovedPart, key: MovedKey): Filter<Document> {
  return fieldsOfKey(part, key) as Filter<Document>;
}

function fieldsOfKey(part: MovedPart, key: MovedKey): object {
  if (part === 'settings') return { _id: settingsId(key[0]!, key[1]!) };
  if (part === 'signedOut') return { _id: signedOutId(key[0]!) };
  const columns = MOVED_KEYS[part];
  return columns.length === 1
    ? { _id: key[0] }
    : Object.fromEntries(columns.map((column, i) => [column, key[i]]));
}

/** Whether the documents of a part have an `_id` of ours. */
export const keepsId = (part: MovedPart): boolean => MOVED_KEYS[part].length === 1 || part === 'settings';
