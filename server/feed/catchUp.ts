/**
 * What a socket lacks, and the moment from which it hears live. Reading comes first and takes its time; then, in one
 * turn of the event loop, what was read is sent, what came meanwhile is added from the ring, and the socket is joined:
 * nothing is missed between, and nothing live overtakes the catch-up (S2).
 */
import type { Entry } from '../../shared/entry.ts';
import { CATCH_UP_FRAME_BYTES, CATCH_UP_MAX_BYTES, CATCH_UP_POLLED_BYTES } from '../../shared/limits.ts';
import {
  type Cursor,
  type Entries,
  type Handshake,
  PROTOCOL,
  type Room,
  type User,
} from '../../shared/protocol/index.ts';
import { jsonBytes } from '../jsonBytes.ts';
import { type LiveSocket, socketsOf } from '../realtime/types.ts';
import { presentRoom } from '../rooms/present.ts';
import type { Membership, Store } from '../store/port.ts';
import type { Feed } from './feed.ts';
import type { Names } from './names.ts';
import { catchUpOrder, newestWithin, pieces, type Start, startOf } from './plan.ts';

export interface CatchUp {
  /** `welcome`, then the catch-up of all rooms, the open one first. */
  welcome(socket: LiveSocket): Promise<void>;
  /** `room`, then that room's catch-up, when the user came into it. */
  add(socket: LiveSocket, room: string): Promise<void>;
}

interface Prepared {
  room: Room;
  /** Contiguous, none with more entries than one frame may have: over a slow network it would be silence (S4). */
  frames: Entries[];
}

interface Deps {
  store: Pick<Store, 'epoch' | 'log' | 'rooms'>;
  feed: Feed;
  names: Names;
  now: () => number;
}

export function createCatchUp({ store, feed, names, now }: Deps): CatchUp {
  const { epoch, log, rooms } = store;

  async function prepare(
    { conn }: LiveSocket,
    memberships: readonly Membership[],
    { cursors = {}, epoch: theirs, open }: Partial<Handshake>,
  ) {
    await Promise.all(memberships.map(({ room }) => feed.host(room.id).opened));
    const byId = new Map(memberships.map((membership) => [membership.room.id, membership]));
    const starts = await startsOf([...byId.values()], cursors, theirs === undefined || theirs === epoch);
    const prepared = new Map<string, Prepared>();
    let budget = conn.transport.name === 'polling' ? CATCH_UP_POLLED_BYTES : CATCH_UP_MAX_BYTES;
    for (const id of catchUpOrder([...byId.keys()], Object.keys(cursors), open)) {
      const { room, readUpTo } = byId.get(id)!;
      const { head, from, reset } = starts.get(id)!;
      const entries = from <= head && budget > 0 ? await read(id, from, head) : [];
      const [kept, left] = newestWithin(entries, jsonBytes, budget);
      budget = kept.length < entries.length ? 0 : left; // the first that does not fit is the last that is looked at
      const first = kept[0]?.serverOffset ?? head + 1;
      prepared.set(id, {
        room: presentRoom({ ...room, head }, readUpTo, { from: first, reset }),
        frames: await framesOf(id, kept),
      });
    }
    return [...prepared.values()];
  }

  /** The head is the greater of what the store and the tail know: either may be behind the other. */
  async function startsOf(memberships: Membership[], cursors: Record<string, Cursor>, sameEpoch: boolean) {
    const held = memberships.flatMap(({ room: { id: room } }) => {
      const serverOffset = cursors[room]?.[0] ?? 0;
      return serverOffset > 0 ? [{ room, serverOffset }] : [];
    });
    const times = held.length > 0 ? await log.timesAt(held) : [];
    const timeAt = new Map(held.map(({ room }, i) => [room, times[i]]));
    return new Map(
      memberships.map(({ room }): [string, Start & { head: number }] => {
        const head = Math.max(room.head, feed.host(room.id).next() - 1);
        return [room.id, { head, ...startOf(head, cursors[room.id], timeAt.get(room.id), sameEpoch) }];
      }),
    );
  }

  /** The log says that the user came into it, and the row that says so, too, follows a moment later. */
  async function comingInto(id: string): Promise<Membership | undefined> {
    const room = await rooms.byId(id);
    return room && { room, readUpTo: 0 };
  }

  async function framesOf(room: string, kept: readonly Entry[]): Promise<Entries[]> {
    if (kept.length > 0) await names.of(kept); // asked for once, for all frames
    return Promise.all(
      pieces(kept, jsonBytes, CATCH_UP_FRAME_BYTES).map(async (entries) => ({
        room,
        entries,
        users: await names.of(entries),
      })),
    );
  }

  async function read(room: string, from: number, to: number): Promise<Entry[]> {
    return (
      feed.host(room).recent(from, to) ?? (await log.range(room, from, to, Number.POSITIVE_INFINITY)).entries
    );
  }

  /** Synchronous from end to end, so that no entry can come between. */
  function attach(socket: LiveSocket, { room, frames }: Prepared) {
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

  function keepElsewhere(
    { data }: LiveSocket,
    { cursors = {}, epoch: theirs }: Partial<Handshake>,
    mine: readonly Membership[],
  ) {
    if (theirs !== undefined && theirs !== epoch) return; // the welcome says so, and nothing is held then
    const here = new Set(mine.map(({ room }) => room.id));
    for (const [id, cursor] of Object.entries(cursors))
      if (!here.has(id)) data.cursorsElsewhere.set(id, cursor);
  }

  return {
    async welcome(socket) {
      const { identity, handshake = {} } = socket.data;
      socket.data.handshake = undefined;
      const mine = await rooms.ofUser(identity.user.id);
      keepElsewhere(socket, handshake, mine);
      const prepared = await prepare(socket, mine, handshake);
      if (!socket.connected) return;
      const user: User = { id: identity.user.id, name: identity.user.name };
      socket.emit('welcome', {
        protocol: PROTOCOL,
        epoch,
        now: now(),
        user,
        rooms: prepared.map(({ room }) => room),
      });
      for (const each of prepared) attach(socket, each);
    },
    async add(socket, id) {
      const mine = await rooms.ofUser(socket.data.identity.user.id);
      const membership = mine.find(({ room }) => room.id === id) ?? (await comingInto(id));
      const { cursorsElsewhere } = socket.data;
      const cursor = cursorsElsewhere.get(id);
      cursorsElsewhere.delete(id);
      const [prepared] = await prepare(
        socket,
        membership ? [membership] : [],
        cursor ? { cursors: { [id]: cursor } } : {},
      );
      if (!prepared || !socket.connected) return;
      socket.emit('room', { room: prepared.room });
      attach(socket, prepared);
    },
  };
}
