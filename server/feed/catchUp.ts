/**
 * What a socket lacks, and the moment from which it hears live. Reading comes first and takes its time; then, in one
 * turn of the event loop, what was read is sent, what came meanwhile is added from the ring, and the socket is joined:
 * nothing is missed between, and nothing live overtakes the catch-up (S2).
 *
 * A room that cannot be read is the error of that room alone: the others are welcomed and go live without it, and it is
 * tried again, less and less often, for as long as the socket is connected.
 */
import type { Entry } from '../../shared/entry.ts';
import { isMessage } from '../../shared/kinds.ts';
import {
  CATCH_UP_FRAME_BYTES,
  CATCH_UP_MAX_BYTES,
  CATCH_UP_NEWEST_MESSAGES,
  CATCH_UP_POLLED_BYTES,
  CATCH_UP_ROOM_BYTES,
  CHANGED_USERS_MAX,
  MESSAGES_SHOWN_LEAST,
  UNREAD_COUNTED_MAX,
  USER_REVS_OVERLAP,
} from '../../shared/limits.ts';
import {
  type Cursor,
  type Entries,
  type FailedRoom,
  type Handshake,
  PROTOCOL,
  type Room,
  type Users,
} from '../../shared/protocol/index.ts';
import { jsonBytes } from '../base/jsonBytes.ts';
import type { Logger } from '../base/logger.ts';
import { isUnexpected, toWireError } from '../base/refusal.ts';
import { type LiveSocket, socketsOf } from '../realtime/types.ts';
import { presentRoom } from '../rooms/present.ts';
import { type Membership, type Store, Unavailable } from '../store/port.ts';
import type { Feed } from './feed.ts';
import type { Names } from './names.ts';
import {
  catchUpOrder,
  hasFewMessages,
  newestWithin,
  pieces,
  type Start,
  startOf,
  startOfNewest,
} from './plan.ts';

export interface CatchUp {
  /** `welcome`, then the catch-up of all rooms, the open one first. */
  welcome(socket: LiveSocket): Promise<void>;
  /** `room`, then that room's catch-up, when the user came into it. */
  add(socket: LiveSocket, room: string): Promise<void>;
}

type Prepared = ReadyRoom | { tag: 'failed'; failed: FailedRoom };

interface ReadyRoom {
  tag: 'ready';
  room: Room;
  /** Contiguous, none with more entries than one frame may have: over a slow network it would be silence (S4). */
  frames: Entries[];
}

/** What a client lacks of a room's log: the newest of it that fit. */
interface Lack {
  membership: Membership;
  head: number;
  start: Start;
  entries: Entry[];
  /** The end of what it holds. */
  heldTo: number;
}

interface Deps {
  store: Pick<Store, 'epoch' | 'log' | 'rooms' | 'users'>;
  feed: Feed;
  names: Names;
  /** What this server takes beyond what every server does. */
  features: () => string[];
  logger: Pick<Logger, 'error' | 'warn'>;
  now: () => number;
}

export function createCatchUp({ store, feed, names, features, logger, now }: Deps): CatchUp {
  const { epoch, log, rooms, users } = store;

  async function prepare(
    socket: LiveSocket,
    memberships: readonly Membership[],
    { cursors = {}, proofs = {}, epoch: theirs, open }: Partial<Handshake>,
  ): Promise<Prepared[]> {
    const byId = new Map(memberships.map((membership) => [membership.room.id, membership]));
    const ids = [...byId.keys()];
    await Promise.all(ids.map((id) => feed.host(id).opening()));
    const sameEpoch = theirs === undefined || theirs === epoch;
    const times = await timesOf(ids, [cursors, proofs]);
    const lacks: (Lack | FailedRoom)[] = [];
    let budget = socket.conn.transport.name === 'polling' ? CATCH_UP_POLLED_BYTES : CATCH_UP_MAX_BYTES;
    for (const id of catchUpOrder(ids, Object.keys(cursors), open)) {
      try {
        const membership = byId.get(id)!;
        const head = headOf(membership);
        const held = { cursor: cursors[id], proof: proofs[id] };
        const at = { cursor: times(id, held.cursor), proof: times(id, held.proof) };
        const start = startOf(head, held, at, sameEpoch);
        const bytes = Math.min(budget, most(start));
        const { entries, isCut, left } = await lacking(id, start, head, bytes);
        // the first that does not fit is the last that is looked at
        if (isCut && bytes === budget) budget = 0;
        else budget -= bytes - left;
        lacks.push({ membership, head, start, entries, heldTo: start.reset ? 0 : (held.cursor?.[0] ?? 0) });
      } catch (error) {
        lacks.push(failedRoom(id, error));
      }
    }
    return Promise.all(
      lacks.map(async (lack): Promise<Prepared> => {
        if ('error' in lack) return { tag: 'failed', failed: lack };
        try {
          return await ready(socket, lack);
        } catch (error) {
          return { tag: 'failed', failed: failedRoom(lack.membership.room.id, error) };
        }
      }),
    );
  }

  /** The head is the greater of what the store and the tail know: either may be behind the other. */
  function headOf({ room: { id, head } }: Membership): number {
    const hosted = feed.host(id);
    if (hosted.next() === 0 || head === undefined)
      throw new Unavailable('This room cannot be read at the moment. It is tried again by itself.');
    return Math.max(head, hosted.next() - 1);
  }

  /** The `at` of the entries at these points of these rooms, in one question; undefined where there is none. */
  async function timesOf(ids: readonly string[], points: readonly Record<string, Cursor>[]) {
    const held = ids.flatMap((room) =>
      points.flatMap((of) => {
        const serverOffset = of[room]?.[0] ?? 0;
        return serverOffset > 0 ? [{ room, serverOffset }] : [];
      }),
    );
    const found = held.length > 0 ? await log.timesAt(held) : [];
    const key = (room: string, serverOffset: number) => `${room} ${serverOffset}`;
    const byPoint = new Map(held.map(({ room, serverOffset }, i) => [key(room, serverOffset), found[i]]));
    return (room: string, cursor: Cursor | undefined) => cursor && byPoint.get(key(room, cursor[0]));
  }

  /** Ascending up to the head, the newest that fit, and what is left of `bytes`. */
  async function lacking(id: string, start: Start, head: number, bytes: number) {
    if (head === 0 || bytes === 0) return { entries: [], isCut: false, left: bytes };
    const from =
      start.tag === 'few'
        ? start.from
        : startOfNewest(head, await log.messageAt(id, head, CATCH_UP_NEWEST_MESSAGES));
    let entries: Entry[] = [];
    let left = bytes;
    for (let to = head; to >= from; ) {
      const first = Math.max(from, to - READ_ENTRIES + 1);
      const piece = await read(id, first, to);
      const [kept, rest] = newestWithin(piece, jsonBytes, left);
      entries = [...kept, ...entries];
      left = rest;
      if (kept.length < to - first + 1) return { entries, isCut: true, left };
      to = first - 1;
    }
    return { entries, isCut: false, left };
  }

  async function read(room: string, from: number, to: number): Promise<Entry[]> {
    return (
      feed.host(room).recent(from, to) ?? (await log.range(room, from, to, Number.POSITIVE_INFINITY)).entries
    );
  }

  async function ready(socket: LiveSocket, lack: Lack): Promise<ReadyRoom> {
    const { head, start, entries, heldTo } = lack;
    const { room, readUpTo } = lack.membership;
    const { id } = room;
    const from = entries[0]?.serverOffset ?? head + 1;
    const isCutOff = from - 1 > heldTo && hasFewMessages(entries);
    const [unread, older] = await Promise.all([
      unreadOf(id, socket.data.identity.user.id, readUpTo, head),
      isCutOff ? log.messageAt(id, from - 1, MESSAGES_SHOWN_LEAST) : undefined,
    ]);
    return {
      tag: 'ready',
      room: presentRoom({ ...room, head }, readUpTo, { from, reset: start.reset, unread, older }),
      frames: await framesOf(id, entries),
    };
  }

  async function unreadOf(room: string, user: string, readUpTo: number, head: number): Promise<number> {
    if (readUpTo >= head) return 0;
    const recent = feed.host(room).recent(readUpTo + 1, head);
    if (!recent) return log.unread(room, user, readUpTo, UNREAD_COUNTED_MAX);
    const count = recent.filter(
      (entry) => isMessage(entry) && !entry.deleted && entry.author !== user,
    ).length;
    return Math.min(count, UNREAD_COUNTED_MAX);
  }

  async function framesOf(room: string, entries: readonly Entry[]): Promise<Entries[]> {
    if (entries.length > 0) await names.of(entries); // asked for once, for all frames
    return Promise.all(
      pieces(entries, jsonBytes, CATCH_UP_FRAME_BYTES).map(async (piece) => ({
        room,
        entries: piece,
        users: await names.of(piece),
      })),
    );
  }

  function failedRoom(id: string, error: unknown): FailedRoom {
    if (isUnexpected(error)) logger.error({ err: error, room: id }, 'a room could not be read for a member');
    return { id, error: { retryAfter: FIRST_RETRY_MS, ...toWireError(error) } };
  }

  /** Synchronous from end to end, so that no entry can come between. */
  function attach(socket: LiveSocket, { room, frames }: ReadyRoom) {
    for (const frame of frames) socket.emit('entries', frame);
    socket.data.told.set(room.id, room.head);
    const last = feed.host(room.id).next() - 1;
    if (last > room.head) sendMissed(socket, room, last);
    void socket.join(socketsOf.room(room.id));
  }

  function sendMissed(socket: LiveSocket, { id: room, head }: Room, last: number) {
    const entries = feed.host(room).recent(head + 1, last);
    const users = entries && names.known(entries);
    if (entries && users) {
      for (const piece of pieces(entries, jsonBytes, CATCH_UP_FRAME_BYTES))
        socket.emit('entries', { room, entries: piece, users });
    } else {
      socket.emit('heads', { [room]: last }); // more than we can say at once: the client will ask
      socket.data.told.set(room, last);
    }
  }

  /** Tries a room that failed again, in the order of everything else that this socket is told of rooms. */
  function tryAgain(socket: LiveSocket, room: string, pause = FIRST_RETRY_MS): void {
    const { retrying } = socket.data;
    if (retrying.has(room) || !socket.connected) return;
    const timer = setTimeout(() => {
      retrying.delete(room);
      if (!socket.connected || socket.rooms.has(socketsOf.room(room))) return;
      const attempt = () => add(socket, room, Math.min(2 * pause, LONGEST_RETRY_MS));
      void socket.data.inOrder(attempt).catch(() => tryAgain(socket, room, pause)); // the store as a whole is away
    }, pause);
    retrying.set(room, timer.unref());
  }

  /** The log says that the user came into it, and the row that says so, too, follows a moment later. */
  async function comingInto(id: string): Promise<Membership | undefined> {
    const room = await rooms.byId(id);
    return room && { room, readUpTo: 0 };
  }

  async function add(socket: LiveSocket, id: string, nextPause?: number): Promise<void> {
    const mine = await rooms.ofUser(socket.data.identity.user.id);
    const isFirst = nextPause === undefined; // a later attempt must not bring back whoever left meanwhile
    const membership =
      mine.find(({ room }) => room.id === id) ?? (isFirst ? await comingInto(id) : undefined);
    if (!membership) return;
    const { cursorsElsewhere } = socket.data;
    const held = cursorsElsewhere.get(id) ?? {};
    const { cursor, proof } = held as { cursor?: Cursor; proof?: Cursor };
    const [prepared] = await prepare(socket, [membership], {
      ...(cursor && { cursors: { [id]: cursor } }),
      ...(proof && { proofs: { [id]: proof } }),
    });
    if (!prepared || !socket.connected) return;
    if (prepared.tag === 'failed') {
      socket.emit('room', { failed: prepared.failed });
      tryAgain(socket, id, nextPause);
      return;
    }
    cursorsElsewhere.delete(id);
    socket.emit('room', { room: prepared.room });
    attach(socket, prepared);
  }

  /** Where what the client holds ends in rooms that cannot be told of now, for when they can. */
  function keepElsewhere(
    { data }: LiveSocket,
    { cursors, proofs, epoch: theirs }: Partial<Handshake>,
    here: Set<string>,
  ) {
    if (theirs !== undefined && theirs !== epoch) return; // the welcome says so, and nothing is held then
    const ids = new Set([...Object.keys(cursors ?? {}), ...Object.keys(proofs ?? {})]);
    for (const id of ids)
      if (!here.has(id)) data.cursorsElsewhere.set(id, { cursor: cursors?.[id], proof: proofs?.[id] });
  }

  async function changesFor(
    user: string,
    since: number | undefined,
  ): Promise<{ users: Users; usersUpTo: number }> {
    const latest = await users.latestRev(); // before the list: what changes in between is listed the next time
    if (since === undefined || latest === 0) return { users: {}, usersUpTo: latest };
    const changed = await users.changedAround(
      user,
      Math.max(0, since - USER_REVS_OVERLAP),
      CHANGED_USERS_MAX,
    );
    const isAll = changed.length < CHANGED_USERS_MAX;
    return {
      users: Object.fromEntries(changed.map(({ id, name, rev }) => [id, { name, rev }])),
      usersUpTo: isAll ? latest : changed.at(-1)!.rev,
    };
  }

  return {
    async welcome(socket) {
      const { identity } = socket.data;
      const handshake: Partial<Handshake> = socket.data.handshake ?? {};
      socket.data.handshake = undefined;
      const { id, name, rev } = identity.user;
      const mine = await rooms.ofUser(id);
      const [prepared, changes] = await Promise.all([
        prepare(socket, mine, handshake),
        changesFor(id, handshake.usersSince),
      ]);
      if (!socket.connected) return;
      const readyOnes = prepared.filter((each) => each.tag === 'ready');
      const failed = prepared.flatMap((each) => (each.tag === 'failed' ? each.failed : []));
      keepElsewhere(socket, handshake, new Set(readyOnes.map(({ room }) => room.id)));
      socket.emit('welcome', {
        protocol: PROTOCOL,
        epoch,
        now: now(),
        user: { id, name, rev },
        features: features(),
        rooms: readyOnes.map(({ room }) => room),
        failed,
        ...changes,
      });
      for (const each of readyOnes) attach(socket, each);
      for (const { id: room } of failed) tryAgain(socket, room);
    },
    add,
  };
}

/** Of one read: even if all are of the longest, the answer of the store stays below two megabytes. */
const READ_ENTRIES = 100;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

function most({ tag }: Start): number {
  return tag === 'many' ? CATCH_UP_ROOM_BYTES : Number.POSITIVE_INFINITY;
}
