/** A database in memory that several stores of one process share. Each of its methods is atomic. */
import { banSetBy, rolesSetBy } from '../../../server/store/memberRoles.ts';
import type {
  AppendResult,
  ComeBackRequest,
  EntryKey,
  InvitationRecord,
  NewDevice,
  NewEntry,
  NewReport,
  NewRoom,
  NewUser,
  OneTimePass,
  PresenceRecord,
  RequestState,
  RolesOfRoom,
  RoomRecord,
} from '../../../server/store/port.ts';
import { roomMadeBy } from '../../../server/store/storedEntries.ts';
import type { StoredSettings } from '../../../server/store/storedSettings.ts';
import { fieldsSetBy, type RoomAbout, type RoomFields } from '../../../shared/aboutRoom.ts';
import { pairOf } from '../../../shared/directPair.ts';
import type { Entry } from '../../../shared/entry.ts';
import { expellingKinds, hasSideEffects, isMessage, ruleOf, subjectOf } from '../../../shared/kinds.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { RoomRole } from '../../../shared/protocol/index.ts';
import { newId } from '../support.ts';

export interface Row extends NewEntry {
  serverOffset: number;
  at: number;
  targetOffset: number | undefined;
  deleted: boolean;
  /** Committed, with side effects that are not applied yet. */
  isUnfinished: boolean;
}

interface Member {
  isPresent: boolean;
  /** serverOffset of the newest join or leave. */
  serverOffset: number;
  /** The newest role, which counts if it is beyond `serverOffset`. */
  role?: { is: RoomRole; serverOffset: number };
  ban?: { is: boolean; serverOffset: number };
}

/** `aboutOffsets`: the serverOffset of the entry that set each field. */
interface MemoryRoom extends NewRoom {
  about?: RoomAbout;
  aboutOffsets?: Partial<Record<keyof RoomFields, number>>;
}

export class MemoryData {
  readonly epoch = newId();
  readonly rooms = new Map<string, MemoryRoom>();
  /** In the order of commits, over all rooms. */
  readonly rows: Row[] = [];
  readonly #rowsByRoom = new Map<string, Row[]>();
  /** Resume points of tails up to this one are refused. */
  forgotten = 0;
  readonly users = new Map<
    string,
    NewUser & { rev: number; renames?: number[]; recoveryHash?: string | undefined }
  >();
  /** The newest revision of any user. */
  usersRev = 0;
  readonly devices = new Map<string, NewDevice & { seenAt: number }>();
  /** Times of sign-outs by the hash of the token. */
  readonly signedOut = new Map<string, number>();
  readonly passes = new Map<string, OneTimePass & { claimHash?: string }>();
  /** The time since when each is one. */
  readonly keepers = new Map<string, number>();
  readonly suspended = new Set<string>();
  readonly requests = new Map<string, ComeBackRequest & { state: RequestState }>();
  readonly invitations = new Map<string, InvitationRecord & { users: Set<string> }>();
  readonly reports = new Map<string, NewReport & { isClosed: boolean }>();
  readonly presence = new Map<string, PresenceRecord>();
  readonly marks = new Map<string, number>();
  readonly reached = new Map<string, { from: number; to: number }>();
  readonly settings = new Map<string, StoredSettings>();
  readonly #members = new Map<string, Map<string, Member>>();

  constructor() {
    this.createRoom({ id: LOBBY, kind: 'public', name: 'Lobby', createdBy: '', createdAt: 1 });
  }

  /** Only commits; `finish` applies the side effects. */
  insert(item: NewEntry, at: number): AppendResult | Row {
    const same = this.find(item);
    if (same && same.digest !== item.digest) return { tag: 'conflict' };
    if (same) {
      this.repair(same);
      return { tag: 'repeat', serverOffset: same.serverOffset, at: same.at };
    }
    const made = roomMadeBy(item, at);
    if (this.rooms.has(item.room) === (made !== undefined)) return { tag: made ? 'room-exists' : 'no-room' };
    if (made) this.createRoom(made);
    const { room, author, target, targetAuthor = author } = item;
    if (item.roleSeq !== undefined && item.roleSeq !== this.roleSeq(room) + 1) return { tag: 'outdated' };
    const { target: names = 'none', effect = 'none', sets } = ruleOf(item.kind) ?? {};
    const found =
      target === undefined ? undefined : this.find({ room, author: targetAuthor, clientOffset: target });
    const isTarget =
      found && isMessage({ kind: found.kind }) && !(sets === 'about' && this.#isRedacted(found));
    const message = isTarget ? found : undefined;
    if (names !== 'none' && names !== 'reply' && !message) return { tag: 'no-target' };
    const hasBody = item.kind === 'text' || item.kind === 'edit';
    if (hasBody && item.body === undefined) return { tag: 'failed', message: 'a text without a body' };
    const row: Row = {
      ...item,
      serverOffset: this.head(room) + 1,
      at: Math.max(at, this.lastAt(room)),
      targetOffset: names === 'none' ? undefined : message?.serverOffset,
      deleted: effect === 'replace' && this.#isRedacted(message!),
      isUnfinished: hasSideEffects(item.kind),
    };
    if (row.deleted) redact(row);
    this.rows.push(row);
    this.rowsOf(room).push(row);
    return row;
  }

  finish(row: Row): void {
    if (isRemovalKind(row.kind)) {
      for (const one of this.rowsOf(row.room).filter((other) => isRedactedBy(other, row))) {
        one.deleted = true;
        redact(one);
      }
    }
    this.setMember(row);
    this.setRoles(row);
    this.setBan(row);
    this.setAbout(row);
    row.isUnfinished = false;
  }

  protected setMember(row: Row): void {
    const membership = ruleOf(row.kind)?.membership;
    if (!membership) return;
    const { serverOffset } = row;
    const member = this.member(row.room, subjectOf(row));
    if (serverOffset <= member.serverOffset) return;
    if (membership === 'joined' && member.ban?.is) return;
    Object.assign(member, { isPresent: membership === 'joined', serverOffset });
  }

  protected setRoles(row: Row): void {
    const { room, serverOffset } = row;
    for (const { user, role } of rolesSetBy(row)) {
      const member = this.member(room, user);
      if (serverOffset > (member.role?.serverOffset ?? 0)) member.role = { is: role, serverOffset };
    }
  }

  protected setBan(row: Row): void {
    const ban = banSetBy(row);
    if (!ban) return;
    const { serverOffset } = row;
    const member = this.member(row.room, ban.user);
    if (serverOffset <= (member.ban?.serverOffset ?? 0)) return;
    member.ban = { is: ban.banned, serverOffset };
    if (ban.banned) member.isPresent = false;
  }

  protected setAbout(row: Row): void {
    const room = this.rooms.get(row.room)!;
    const { kind, targetOffset: target } = row;
    const fields = isRemovalKind(kind)
      ? { ...(target === room.about?.pinned && { pinned: 0 }) }
      : fieldsSetBy({ ...row.content, kind, target });
    if (fields.pinned && this.#isRedacted(this.rowsOf(row.room)[fields.pinned - 1]!)) fields.pinned = 0;
    for (const [field, value] of Object.entries(fields) as [keyof RoomFields, never][]) {
      if ((room.aboutOffsets?.[field] ?? 0) >= row.serverOffset) continue;
      const aboutOffsets = { ...room.aboutOffsets, [field]: row.serverOffset };
      const upTo = Math.max(...Object.values(aboutOffsets));
      const about = { ...room.about, ...(field !== 'name' && { [field]: value }), upTo };
      Object.assign(room, { aboutOffsets, about, ...(field === 'name' && { name: value }) });
    }
  }

  protected member(room: string, user: string): Member {
    const members = this.#members.get(room) ?? new Map<string, Member>();
    this.#members.set(room, members);
    const member = members.get(user) ?? { isPresent: false, serverOffset: 0 };
    members.set(user, member);
    return member;
  }

  roleSeq(room: string): number {
    return Math.max(0, ...this.rowsOf(room).map(({ roleSeq = 0 }) => roleSeq));
  }

  roles(room: string, users: readonly string[]): RolesOfRoom {
    for (const row of this.rowsOf(room)) this.repair(row);
    const present = [...(this.#members.get(room) ?? [])]
      .filter(([, { isPresent }]) => isPresent)
      .toSorted(([, a], [, b]) => a.serverOffset - b.serverOffset);
    return {
      roleSeq: this.roleSeq(room),
      holders: present.flatMap(([user, { role, serverOffset }]) =>
        role && role.is !== 'member' && role.serverOffset > serverOffset ? { user, role: role.is } : [],
      ),
      eldest: present.slice(0, 2).map(([user]) => user),
      members: users.filter((user) => this.isMember(room, user)),
      banned: users.filter((user) => this.banned(room).includes(user)),
    };
  }

  exits(user: string, rooms: readonly string[]): Map<string, 'removed' | 'banned'> {
    const found = new Map<string, 'removed' | 'banned'>();
    for (const room of rooms) {
      const member = this.#members.get(room)?.get(user);
      if (!member || member.isPresent) continue;
      const { kind = '' } = this.rowsOf(room)[member.serverOffset - 1] ?? {};
      if (member.ban?.is) found.set(room, 'banned');
      else if (expellingKinds().includes(kind)) found.set(room, 'removed');
    }
    return found;
  }

  banned(room: string): string[] {
    return [...(this.#members.get(room) ?? [])].flatMap(([user, { ban }]) => (ban?.is ? user : []));
  }

  /** Applies the side effects of an entry whose writer may have died. */
  repair(row: Row): void {
    if (row.isUnfinished) this.finish(row);
  }

  find({ room, author, clientOffset }: EntryKey): Row | undefined {
    return this.rowsOf(room).find((row) => row.author === author && row.clientOffset === clientOffset);
  }

  rowsOf(room: string): Row[] {
    return this.#rowsByRoom.get(room) ?? [];
  }

  head(room: string): number {
    return this.rowsOf(room).length;
  }

  /** Time of the newest entry; 0 for an empty room. */
  lastAt(room: string): number {
    return this.rowsOf(room).at(-1)?.at ?? 0;
  }

  /** The entry as it is read: a deletion counts, whether or not it is applied. */
  entryOf(row: Row): Entry {
    const { serverOffset, author, clientOffset, at, kind, body, targetOffset, subject, content } = row;
    const isRedacted = this.#isRedacted(row);
    return {
      ...(!isRedacted && content),
      serverOffset,
      author,
      clientOffset,
      at,
      kind,
      ...(targetOffset !== undefined && { target: targetOffset }),
      ...(subject !== undefined && { subject }),
      ...(isRedacted ? { deleted: true } : body !== undefined && { body }),
    } as Entry;
  }

  #isRedacted(row: Row): boolean {
    return (
      row.deleted || this.rowsOf(row.room).some((one) => isRemovalKind(one.kind) && isRedactedBy(row, one))
    );
  }

  createRoom(room: NewRoom): RoomRecord {
    if (!this.rooms.has(room.id)) {
      this.rooms.set(room.id, { ...room });
      this.#rowsByRoom.set(room.id, []);
    }
    return this.room(room.id)!;
  }

  begin(room: Pick<NewRoom, 'id' | 'createdBy' | 'createdAt'>): void {
    if (this.rooms.has(room.id)) return;
    this.createRoom({ ...room, kind: 'direct', name: '' });
    const member = { isPresent: true, serverOffset: 0 };
    this.#members.set(room.id, new Map(pairOf(room.id)!.map((user) => [user, member])));
  }

  room(id: string): RoomRecord | undefined {
    const room = this.rooms.get(id);
    const members = [...(this.#members.get(id)?.values() ?? [])].filter((one) => one.isPresent).length;
    if (!room) return undefined;
    const { aboutOffsets: _, ...rest } = room;
    return { ...rest, head: this.head(id), members };
  }

  /** At least the entry by which a member joined. */
  readUpTo(room: string, user: string): number {
    const member = this.#members.get(room)?.get(user);
    return Math.max(member?.isPresent ? member.serverOffset : 0, this.marks.get(`${room} ${user}`) ?? 0);
  }

  readers(room: string): { user: string; upTo: number }[] {
    const there = [...(this.#members.get(room) ?? [])].filter(([, { isPresent }]) => isPresent);
    return there.map(([user]) => ({ user, upTo: this.readUpTo(room, user) }));
  }

  isMember(room: string, user: string): boolean {
    return this.#members.get(room)?.get(user)?.isPresent === true;
  }
}

export function isRemovalKind(kind: string): boolean {
  return ruleOf(kind)?.effect === 'remove';
}

function redact(row: Row): void {
  delete row.body;
  delete row.content;
}

function isRedactedBy(row: Row, remove: Row): boolean {
  if (isMessage({ kind: row.kind })) return row.serverOffset === remove.targetOffset;
  return ruleOf(row.kind)?.effect === 'replace' && row.targetOffset === remove.targetOffset;
}
