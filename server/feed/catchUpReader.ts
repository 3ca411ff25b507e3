/**
 * Reads what a client lacks of its rooms: where its cursor stands, the entries from there to the head within a budget of
 * bytes, and the counts that the room's row in the app shows. A room that cannot be read is an error of that room alone.
 */
import type { Entry } from '../../shared/entry.ts';
import { countedFor, isMentioned, isMessage, membershipOf, repliedTo } from '../../shared/kinds.ts';
import {
  CATCH_UP_FRAME_BYTES,
  CATCH_UP_MAX_BYTES,
  CATCH_UP_NEWEST_MESSAGES,
  CATCH_UP_POLLED_BYTES,
  CATCH_UP_ROOM_BYTES,
  MENTIONS_LISTED_MAX,
  MESSAGES_SHOWN_LEAST,
  UNREAD_COUNTED_MAX,
} from '../../shared/limits.ts';
import type { Cursor, Entries, FailedRoom, Handshake, Room } from '../../shared/protocol/index.ts';
import type { Logger } from '../base/logger.ts';
import { isUnexpected, toWireError, Unavailable } from '../base/refusal.ts';
import { named, presentRoom } from '../rooms/present.ts';
import type { Membership, RoomRecord, Store } from '../store/port.ts';
import { jsonBytes } from '../store/storedEntries.ts';
import {
  catchUpOrder,
  hasFewMessages,
  newestWithin,
  pieces,
  type Start,
  startOf,
  startOfNewest,
} from './catchUpPlan.ts';
import type { Feed } from './feed.ts';
import type { Names } from './names.ts';
import { QUOTE_BYTES, quotesField, quotesFor } from './quotes.ts';
import { namesIn, reactionsField, reactionsInFrame } from './reactions.ts';
import type { Recipient } from './recipient.ts';

export interface CatchUpReader {
  /** One result per membership, in the order in which the rooms are to be sent. Never rejects for a single room. */
  read(
    recipient: Pick<Recipient, 'identity' | 'isPolling' | 'onlyOpenRoom'>,
    memberships: readonly Membership[],
    held: HeldLog,
  ): Promise<CatchUpOfRoom[]>;
}

/** What a client says in its handshake about the logs that it holds. */
export type HeldLog = Partial<Pick<Handshake, 'cursors' | 'proofs' | 'epoch' | 'open'>>;

export type CatchUpOfRoom = ReadyRoom | { tag: 'failed'; failed: FailedRoom };

export interface ReadyRoom {
  tag: 'ready';
  room: Room;
  /** Contiguous, up to the head. Small frames, because a slow network is silent while it carries a large one (S4). */
  frames: Entries[];
}

/** What a client lacks of one room's log: the newest entries of it that fit the budget. */
interface Missing {
  membership: Membership;
  head: number;
  start: Start;
  entries: Entry[];
  /** The last serverOffset that the client holds. */
  heldUpTo: number;
}

interface Deps {
  store: Pick<Store, 'epoch' | 'log'>;
  feed: Pick<Feed, 'host'>;
  names: Pick<Names, 'of' | 'ofUsers'>;
  logger: Pick<Logger, 'error'>;
}

export function createCatchUpReader({ store, feed, names, logger }: Deps): CatchUpReader {
  const { epoch, log } = store;

  async function read(
    recipient: Pick<Recipient, 'identity' | 'isPolling' | 'onlyOpenRoom'>,
    memberships: readonly Membership[],
    { cursors = {}, proofs = {}, epoch: theirs, open }: HeldLog,
  ): Promise<CatchUpOfRoom[]> {
    const byId = new Map(memberships.map((membership) => [membership.room.id, membership]));
    const ids = [...byId.keys()];
    await Promise.all(ids.map((id) => feed.host(id).opening()));
    const sameEpoch = theirs === undefined || theirs === epoch;
    const timeAt = await timesOf(ids, [cursors, proofs]);
    const rooms: (Missing | FailedRoom)[] = [];
    let budget = recipient.isPolling() ? CATCH_UP_POLLED_BYTES : CATCH_UP_MAX_BYTES;
    for (const id of catchUpOrder(ids, Object.keys(cursors), open)) {
      try {
        const membership = byId.get(id)!;
        const head = headOf(membership);
        const held = { cursor: cursors[id], proof: proofs[id] };
        const times = { cursor: timeAt(id, held.cursor), proof: timeAt(id, held.proof) };
        const start = startOf(head, held, times, sameEpoch);
        const isLeftOut = recipient.onlyOpenRoom && id !== open;
        const bytes = isLeftOut ? 0 : Math.min(budget, maxBytesOf(start));
        const { entries, isCut, left } = await readMissing(id, start, head, bytes);
        // the first room that exceeds the whole budget is the last one whose entries are read
        if (isCut && bytes === budget) budget = 0;
        else budget -= bytes - left;
        rooms.push({
          membership,
          head,
          start,
          entries,
          heldUpTo: start.reset ? 0 : (held.cursor?.[0] ?? 0),
        });
      } catch (error) {
        rooms.push(failedRoom(id, error));
      }
    }
    return Promise.all(
      rooms.map(async (room): Promise<CatchUpOfRoom> => {
        if ('error' in room) return { tag: 'failed', failed: room };
        try {
          return await buildRoom(recipient, room);
        } catch (error) {
          return { tag: 'failed', failed: failedRoom(room.membership.room.id, error) };
        }
      }),
    );
  }

  /** The greater of what the store and the tail know: either may lag behind the other. */
  function headOf({ room: { id, head } }: Membership): number {
    const hosted = feed.host(id);
    if (hosted.next() === 0 || head === undefined)
      throw new Unavailable('This room cannot be read at the moment. The server retries automatically.');
    return Math.max(head, hosted.next() - 1);
  }

  /** Looks up `at` of the entries at these points, in one query for all rooms; undefined where there is no entry. */
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

  /** The newest missing entries that fit into `bytes`, ascending up to the head, and how many bytes are left. */
  async function readMissing(id: string, start: Start, head: number, bytes: number) {
    if (head === 0 || bytes === 0) return { entries: [], isCut: false, left: bytes };
    const from =
      start.tag === 'few'
        ? start.from
        : startOfNewest(head, await log.messageAt(id, head, CATCH_UP_NEWEST_MESSAGES));
    let entries: Entry[] = [];
    let left = bytes;
    for (let to = head; to >= from; ) {
      const first = Math.max(from, to - READ_ENTRIES + 1);
      const piece = await readRange(id, first, to);
      const [kept, rest] = newestWithin(piece, sizeOf, left);
      entries = [...kept, ...entries];
      left = rest;
      if (kept.length < to - first + 1) return { entries, isCut: true, left };
      to = first - 1;
    }
    return { entries, isCut: false, left };
  }

  async function readRange(room: string, from: number, to: number): Promise<Entry[]> {
    return (
      (await recentOf(room, from, to)) ?? (await log.range(room, from, to, Number.POSITIVE_INFINITY)).entries
    );
  }

  /** Out of memory, which reads them once for all who come back to this room; undefined where they are too many for it. */
  async function recentOf(room: string, from: number, to: number): Promise<Entry[] | undefined> {
    const hosted = feed.host(room);
    const held = hosted.recent(from, to);
    if (held) return held;
    await hosted.recall(from);
    return hosted.recent(from, to);
  }

  /** The same to count among them, which the store does by itself: entries that take the memory of another room would cost more. */
  async function recentToCount(room: string, from: number, to: number): Promise<Entry[] | undefined> {
    const hosted = feed.host(room);
    return hosted.isMemoryTight() ? hosted.recent(from, to) : recentOf(room, from, to);
  }

  async function buildRoom(recipient: Pick<Recipient, 'identity'>, missing: Missing): Promise<ReadyRoom> {
    const { head, start, entries, heldUpTo } = missing;
    const { room, readUpTo, settings } = missing.membership;
    const { id } = room;
    const from = entries[0]?.serverOffset ?? head + 1;
    const isCutOff = from - 1 > heldUpTo && hasFewMessages(entries);
    const user = recipient.identity.user.id;
    const [unread, older, members] = await Promise.all([
      unreadOf(id, user, readUpTo, head),
      isCutOff ? log.messageAt(id, from - 1, MESSAGES_SHOWN_LEAST) : undefined,
      membersAt(room, head),
    ]);
    const mentions = unread > 0 ? await mentionsAfter(id, user, readUpTo, head) : [];
    return {
      tag: 'ready',
      room: await named(
        presentRoom({ ...room, head, members }, readUpTo, {
          from,
          reset: start.reset,
          unread,
          older,
          mentions,
          settings,
        }),
        user,
        names,
      ),
      frames: await framesOf(id, entries, user),
    };
  }

  /** The room was read before the tail had brought its newest entries: with those who joined and left by them. */
  async function membersAt({ id, head: read = 0, members }: RoomRecord, head: number): Promise<number> {
    const later = head > read ? await readRange(id, read + 1, head) : [];
    const count = (what: 'joined' | 'left') => later.filter((entry) => membershipOf(entry) === what).length;
    return Math.max(0, members + count('joined') - count('left'));
  }

  async function unreadOf(room: string, user: string, readUpTo: number, head: number): Promise<number> {
    if (readUpTo >= head) return 0;
    const recent = await recentToCount(room, readUpTo + 1, head);
    if (!recent) return log.unread(room, user, readUpTo, UNREAD_COUNTED_MAX);
    const count = recent.filter(
      (entry) => isMessage(entry) && !entry.deleted && entry.author !== user,
    ).length;
    return Math.min(count, UNREAD_COUNTED_MAX);
  }

  async function mentionsAfter(
    room: string,
    user: string,
    readUpTo: number,
    head: number,
  ): Promise<number[]> {
    const recent = await recentToCount(room, readUpTo + 1, head);
    if (!recent) return log.mentions(room, user, readUpTo, MENTIONS_LISTED_MAX);
    const found = recent.flatMap((entry) => (isMentioned(entry, user) ? entry.serverOffset : []));
    return found.slice(0, MENTIONS_LISTED_MAX);
  }

  async function framesOf(room: string, entries: readonly Entry[], user: string): Promise<Entries[]> {
    if (entries.length > 0) await names.of(entries); // one query for the names of all frames
    const [quotes, reactions] = await Promise.all([
      quotesFor(log, room, entries),
      reactionsInFrame(log, room, entries, user),
    ]);
    return Promise.all(
      pieces(entries, sizeOf, CATCH_UP_FRAME_BYTES).map(async (piece) => {
        const targets = new Set(piece.map(repliedTo));
        const its = quotes.filter(({ serverOffset }) => targets.has(serverOffset));
        const counted = new Set(piece.map(countedFor));
        const about = reactions.filter(({ target }) => counted.has(target));
        const users = { ...(await namesIn(names, about)), ...(await names.of(piece)) };
        return { room, entries: piece, users, ...quotesField(its), ...reactionsField(about) };
      }),
    );
  }

  function failedRoom(id: string, error: unknown): FailedRoom {
    if (isUnexpected(error)) logger.error({ err: error, room: id }, 'room could not be read for a catch-up');
    return { id, error: { retryAfter: FIRST_RETRY_MS, ...toWireError(error) } };
  }

  return { read };
}

/** Entries per read of the store: below two megabytes even if all of them have the maximum length. */
const READ_ENTRIES = 100;
/** After this the server retries a room that could not be read, in milliseconds. */
export const FIRST_RETRY_MS = 1_000;

/** Of an entry in a frame, with the quote that it may need, in bytes. */
function sizeOf(entry: Entry): number {
  return jsonBytes(entry) + (repliedTo(entry) === undefined ? 0 : QUOTE_BYTES);
}

function maxBytesOf({ tag }: Start): number {
  return tag === 'many' ? CATCH_UP_ROOM_BYTES : Number.POSITIVE_INFINITY;
}
