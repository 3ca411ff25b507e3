/**
 * The catch-up of a client: sends the welcome and what the client missed, then subscribes it to live frames. All reads come
 * first. Then, in one turn of the event loop, the entries read are sent, entries that were committed meanwhile are added
 * from memory, and the client joins the room: nothing is missed in between, and no live frame overtakes the catch-up (S2).
 *
 * A room that cannot be read fails alone: the other rooms are welcomed and go live. It is retried with backoff for as long
 * as the client is connected.
 */
import { pairOf } from '../../shared/directPair.ts';
import { countedFor } from '../../shared/kinds.ts';
import { CATCH_UP_FRAME_BYTES, CHANGED_USERS_MAX, USER_REVS_OVERLAP } from '../../shared/limits.ts';
import {
  type Cursor,
  type Handshake,
  PROTOCOL,
  type Room,
  type Users,
  type Welcome,
} from '../../shared/protocol/index.ts';
import { createBatchLoader } from '../base/batchLoader.ts';
import type { Logger } from '../base/logger.ts';
import { BYTES_PER_UNIT } from '../limits/workMeter.ts';
import type { Membership, RoomRecord, Store } from '../store/port.ts';
import { jsonBytes } from '../store/storedEntries.ts';
import { pieces } from './catchUpPlan.ts';
import { createCatchUpReader, FIRST_RETRY_MS, type ReadyRoom } from './catchUpReader.ts';
import type { Feed } from './feed.ts';
import type { Names } from './names.ts';
import type { Recipient } from './recipient.ts';

export interface CatchUp {
  /**
   * Sends `welcome`, then the catch-up of all rooms, the open one first. Sends nothing where `isSignedIn`, which is asked at the
   * same time as the store, resolves with false. Resolves with the work that it was, in units of the work meter; undefined
   * where nobody is signed in. Rejects when the store is unavailable.
   */
  welcome(recipient: Recipient, isSignedIn: () => Promise<boolean>): Promise<number | undefined>;
  /** Sends `room`, then the catch-up of that room, after the user became a member. Rejects when the store is unavailable. */
  add(recipient: Recipient, room: string): Promise<void>;
}

interface Deps {
  store: Pick<Store, 'epoch' | 'log' | 'rooms' | 'users'>;
  feed: Pick<Feed, 'host' | 'clientJoined'>;
  names: Pick<Names, 'of' | 'ofUsers' | 'known'>;
  /** The features of this server beyond those that every server has. */
  features: () => string[];
  logger: Pick<Logger, 'error'>;
  /** The wall clock in milliseconds. */
  now: () => number;
}

export function createCatchUp({ store, feed, names, features, logger, now }: Deps): CatchUp {
  const { epoch, rooms, users } = store;
  const latestRev = createBatchLoader<void, number>({
    load: async (callers) => {
      const latest = await users.latestRev();
      return callers.map(() => latest);
    },
    most: Number.POSITIVE_INFINITY,
  });
  const reader = createCatchUpReader({ store, feed, names, logger });

  /** Synchronous from beginning to end, so that no entry can be committed in between. */
  function attach(recipient: Recipient, { room, frames }: ReadyRoom) {
    for (const frame of frames) recipient.emit('entries', frame);
    recipient.sentHeads.set(room.id, room.head);
    const last = feed.host(room.id).next() - 1;
    if (last > room.head) sendCommittedMeanwhile(recipient, room, last);
    recipient.join(room.id);
    feed.clientJoined(room.id);
  }

  function sendCommittedMeanwhile(recipient: Recipient, { id: room, head }: Room, last: number) {
    const entries = feed.host(room).recent(head + 1, last);
    const isCounted = entries?.some((entry) => countedFor(entry) !== undefined); // the counts are in the store
    const users = entries && !isCounted && names.known(entries);
    if (entries && users) {
      for (const piece of pieces(entries, jsonBytes, CATCH_UP_FRAME_BYTES))
        recipient.emit('entries', { room, entries: piece, users });
    } else {
      recipient.emit('heads', { [room]: last }); // not all of it is in memory: the client requests the range
      recipient.sentHeads.set(room, last);
    }
  }

  /** Retries a failed room after `pause` ms, in order with everything else that adds or removes rooms of this client. */
  function retryLater(recipient: Recipient, room: string, pause = FIRST_RETRY_MS): void {
    const { retryTimers } = recipient;
    if (retryTimers.has(room) || !recipient.isConnected()) return;
    const timer = setTimeout(() => {
      retryTimers.delete(room);
      if (!recipient.isConnected() || recipient.isIn(room)) return;
      const attempt = () => add(recipient, room, Math.min(2 * pause, LONGEST_RETRY_MS));
      void recipient.inOrder(attempt).catch(() => retryLater(recipient, room, pause)); // the whole store is unavailable
    }, pause);
    retryTimers.set(room, timer.unref());
  }

  /** The entry says that the user became a member; the member's row in the database may follow a moment later. */
  async function membershipFromEntry(id: string, user: string): Promise<Membership | undefined> {
    if ((await rooms.exits(user, [id])).get(id) === 'banned') return undefined; // joined before the ban was known
    const room = await rooms.byId(id);
    return room && { room, readUpTo: 0, settings: await rooms.chosen(id, user) };
  }

  /** `nextPause`: set for a retry. The pause before the retry after this one, in milliseconds. */
  async function add(recipient: Recipient, id: string, nextPause?: number): Promise<void> {
    const memberships = await rooms.ofUser(recipient.identity.user.id);
    const isRetry = nextPause !== undefined; // a retry must not bring back a user who has left meanwhile
    const membership =
      memberships.find(({ room }) => room.id === id) ??
      (isRetry ? undefined : await membershipFromEntry(id, recipient.identity.user.id));
    if (!membership || !isShown(membership.room, recipient)) return;
    const { pendingCursors } = recipient;
    const held = pendingCursors.get(id) ?? {};
    const { cursor, proof } = held as { cursor?: Cursor; proof?: Cursor };
    const [result] = await reader.read(recipient, [membership], {
      ...(cursor && { cursors: { [id]: cursor } }),
      ...(proof && { proofs: { [id]: proof } }),
    });
    if (!result || !recipient.isConnected()) return;
    if (result.tag === 'failed') {
      recipient.emit('room', { failed: result.failed });
      retryLater(recipient, id, nextPause);
      return;
    }
    pendingCursors.delete(id);
    recipient.emit('room', { room: result.room });
    attach(recipient, result);
  }

  /** Keeps the client's cursors and proofs of rooms that it is not caught up in now, for when it is. */
  function keepCursors(
    { pendingCursors }: Recipient,
    { cursors, proofs, epoch: theirs }: Partial<Handshake>,
    { ready, failed }: { ready: readonly string[]; failed: readonly string[] },
  ) {
    if (theirs !== undefined && theirs !== epoch) return; // the welcome makes the client drop all that it holds
    const others = new Set([...Object.keys(cursors ?? {}), ...Object.keys(proofs ?? {})]);
    for (const id of [...ready, ...failed]) others.delete(id);
    for (const id of [...failed, ...[...others].slice(0, LEFT_ROOMS_MAX)])
      pendingCursors.set(id, { cursor: cursors?.[id], proof: proofs?.[id] });
  }

  /** The users whose names changed after the revision `since`; none where the client has no revision yet. */
  async function changedUsers(
    user: string,
    since: number | undefined,
  ): Promise<{ users: Users; usersUpTo: number }> {
    const latest = await latestRev(); // before the list: a change in between is listed the next time
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

  /** The rooms of which the client has a log, and from which somebody else has removed the user. */
  async function goneOf(
    user: string,
    { cursors = {} }: Partial<Handshake>,
    memberships: readonly Membership[],
  ): Promise<NonNullable<Welcome['gone']>> {
    const others = new Set(Object.keys(cursors));
    for (const { room } of memberships) others.delete(room.id);
    if (others.size === 0) return [];
    const exits = await rooms.exits(user, [...others]);
    return [...exits].map(([room, how]) => ({ id: room, reason: `out-${how}` }));
  }

  return {
    async welcome(recipient, isSignedIn) {
      const handshake: Partial<Handshake> = recipient.handshake ?? {};
      recipient.handshake = undefined;
      const { id, name, rev } = recipient.identity.user;
      const [memberships, changes, isTheirs] = await Promise.all([
        rooms.ofUser(id),
        changedUsers(id, handshake.usersSince),
        isSignedIn(),
      ]);
      if (!isTheirs) return undefined;
      const shown = memberships.filter(({ room }) => isShown(room, recipient));
      const results = await reader.read(recipient, shown, handshake);
      const ready = results.filter((result) => result.tag === 'ready');
      const failed = results.flatMap((result) => (result.tag === 'failed' ? result.failed : []));
      const gone = await goneOf(id, handshake, memberships);
      const work = workOf(ready);
      if (!recipient.isConnected()) return work;
      keepCursors(recipient, handshake, {
        ready: ready.map(({ room }) => room.id),
        failed: failed.map(({ id }) => id),
      });
      recipient.emit('welcome', {
        protocol: PROTOCOL,
        epoch,
        now: now(),
        user: { id, name, rev },
        features: features(),
        rooms: ready.map(({ room }) => room),
        failed,
        ...(gone.length > 0 && { gone }),
        ...changes,
      });
      for (const room of ready) attach(recipient, room);
      for (const { id: room } of failed) retryLater(recipient, room);
      return work;
    },
    add,
  };
}

/** A direct conversation without messages is of whoever has made its room, for example to block the other one. */
function isShown({ id, head, createdBy }: RoomRecord, { identity, readsDirect }: Recipient): boolean {
  return !pairOf(id) || (readsDirect && (head !== 0 || createdBy === identity.user.id));
}

/** A call of the store for each room and two for all, and what is sent, estimated: an entry of a short text has 130 bytes. */
function workOf(ready: readonly ReadyRoom[]): number {
  const entries = ready.reduce(
    (sum, { frames }) => sum + frames.reduce((n, frame) => n + frame.entries.length, 0),
    0,
  );
  return 2 + ready.length + (entries * ENTRY_BYTES) / BYTES_PER_UNIT;
}

const ENTRY_BYTES = 130;
const LONGEST_RETRY_MS = 30_000;
/**
 * Of rooms that the client is not in, so many cursors are kept: some 250 bytes each, for each connection. Without one, a room
 * that is joined again gets the newest entries.
 */
const LEFT_ROOMS_MAX = 50;
