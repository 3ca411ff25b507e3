/**
 * The feed: the only reader of committed entries. It follows the store's tail, keeps a feed per hosted room that turns the
 * tail into runs of entries in order and without gap, and broadcasts those runs to this process's clients. A hosted room is
 * one that a client of this process is in.
 */

import { pairOf } from '../../shared/directPair.ts';
import type { Entry } from '../../shared/entry.ts';
import { membershipOf, ruleOf } from '../../shared/kinds.ts';
import type { Users } from '../../shared/protocol/index.ts';
import { createBatchLoader } from '../base/batchLoader.ts';
import { Unavailable } from '../base/refusal.ts';
import { FRAME_COALESCE_MS, FRAMES_BURST } from '../base/serverLimits.ts';
import { retryUntilDone } from '../base/timeout.ts';
import { takeTokens } from '../limits/bucket.ts';
import type { Committed, LogStore, Tail } from '../store/port.ts';
import type { Names } from './names.ts';
import { quotesField, quotesFor } from './quotes.ts';
import { namesIn, reactionsField, reactionsInFrame } from './reactions.ts';
import type { Broadcast } from './recipient.ts';
import { createRingBudget, createRoomFeed, type RoomFeed } from './roomFeed.ts';

export interface Feed {
  start(): Promise<void>;
  /** False while the tail is known to be down, so that commits may be missed. */
  isOpen(): boolean;
  /** The feed of this room; the first call begins to host the room. */
  host(room: string): RoomFeed;
  hosted(): string[];
  /** The head of a hosted room as far as the tail has delivered it; 0 of others. */
  knownHead(room: string): number;
  /** Call after a client joined the room: the next frames have all names again, since it may lack them. Synchronous. */
  clientJoined(room: string): void;
  /**
   * Reads the heads of all hosted rooms from the store, some hundred at a time, and then the entries that the tail has missed. Returns
   * the heads; a room whose head is unknown at the moment is left out.
   */
  reconcileHeads(): Promise<Map<string, number>>;
  /** Stops hosting a room that no client of this process is in. */
  release(room: string): void;
  close(): Promise<void>;
}

interface Deps {
  log: LogStore;
  names: Pick<Names, 'of' | 'ofUsers'>;
  broadcast: Broadcast;
  /** Called for every committed entry that changes who is a member, also of rooms that are not hosted. */
  onMembership: (room: string, entry: Entry) => void;
  /** Called for every committed entry that changes something of its room, also of rooms that are not hosted. */
  onAbout: (room: string, entry: Entry) => void;
  /** Called for the first entry of each direct conversation: its two people are members from now on. */
  onBegun: (room: string) => void;
  /** Commits may have been missed. The feed reads missed entries of hosted rooms itself; missed memberships are the caller's. */
  onGap: () => void;
  /** The time from an entry's stamp to its delivery by the tail, in milliseconds. */
  onLag: (ms: number) => void;
  /** The time in which a frame of a room was made and handed to its recipients, in milliseconds. */
  onFanOut: (ms: number) => void;
  /** A monotonic clock in milliseconds. */
  ticks: () => number;
  /** The wall clock in milliseconds. */
  now: () => number;
}

export function createFeed({
  log,
  names,
  broadcast,
  onMembership,
  onAbout,
  onBegun,
  onGap,
  onLag,
  onFanOut,
  ticks,
  now,
}: Deps): Feed {
  const rooms = new Map<string, RoomFeed>();
  const sentNames = new Map<string, SentNames>();
  const headOf = createHeadLoader(log);
  const budget = createRingBudget();
  let tail: Tail | undefined;
  let closed = false;

  function onBatch(batch: readonly Committed[]) {
    const last = batch.at(-1);
    if (last) onLag(Math.max(0, now() - last.entry.at)); // not negative where a clock went back: sums never fall
    for (const [room, entries] of byRoom(batch)) {
      rooms.get(room)?.receive(entries);
      for (const entry of entries) {
        if (membershipOf(entry)) onMembership(room, entry);
        if (ruleOf(entry.kind)?.sets === 'about') onAbout(room, entry);
        if (entry.serverOffset === 1 && pairOf(room)) onBegun(room);
      }
    }
  }

  async function reconcileHeads(): Promise<Map<string, number>> {
    const hosted = [...rooms.keys()];
    const heads = new Map<string, number>();
    for (let i = 0; i < hosted.length; i += HEADS_PER_QUERY) {
      for (const [room, head] of await log.heads(hosted.slice(i, i + HEADS_PER_QUERY))) {
        heads.set(room, head);
        rooms.get(room)?.fillUpTo(head);
      }
      await new Promise(setImmediate); // each query is a turn of the event loop of its own
    }
    return heads;
  }

  /**
   * Never rejects: what cannot be read, a name or a quoted message, is left out of the frame. But reactions without their counts
   * would leave clients with old ones: then the frame only says that there are entries, and clients request them.
   */
  async function fanOut(room: string, entries: Entry[]): Promise<void> {
    const head = () => (rooms.get(room)?.next() ?? 0) - 1;
    const recent = (from: number) => rooms.get(room)?.recent(from, head());
    const [users, reactions, quotes] = await Promise.all([
      names.of(entries).catch(() => ({})),
      reactionsInFrame(log, room, entries, undefined).catch(() => undefined),
      quotesFor(log, room, entries, recent).catch(() => []),
    ]);
    if (!reactions) return broadcast(room, 'heads', { [room]: entries.at(-1)!.serverOffset });
    const reactors = await namesIn(names, reactions).catch(() => ({}));
    // In the same turn as the broadcast: a client that joins later was not sent these names.
    const named = { ...reactors, ...users };
    broadcast(room, 'entries', {
      room,
      entries,
      users: sentNames.get(room)?.without(named) ?? named,
      ...quotesField(quotes),
      ...reactionsField(reactions),
    });
  }

  return {
    async start() {
      tail = await log.tail(undefined, {
        onBatch,
        onGap() {
          onGap();
          void retryUntilDone(reconcileHeads, { pause, isOver: () => closed });
        },
      });
    },
    isOpen: () => tail?.isOpen() ?? false,
    host(room) {
      const known = rooms.get(room);
      if (known) return known;
      const deliver = createCoalescer<Entry>(async (entries) => {
        const begun = ticks();
        await fanOut(room, entries);
        onFanOut(ticks() - begun);
      }, ticks);
      const made = createRoomFeed({ room, log, headOf, deliver, budget, pause });
      if (closed) made.close(); // a catch-up in flight may still host rooms after the feed was closed
      rooms.set(room, made);
      sentNames.set(room, createSentNames());
      return made;
    },
    hosted: () => [...rooms.keys()],
    knownHead: (room) => Math.max(0, (rooms.get(room)?.next() ?? 0) - 1),
    clientJoined: (room) => sentNames.get(room)?.clear(),
    reconcileHeads,
    release(room) {
      rooms.get(room)?.close();
      rooms.delete(room);
      sentNames.delete(room);
    },
    async close() {
      closed = true;
      for (const room of rooms.values()) room.close();
      await tail?.close();
    },
  };
}

/**
 * The names that every client in a room was sent since the last client joined, by revision. A name in every frame would be
 * a fifth of the bytes of a message of 40 characters.
 */
interface SentNames {
  /** The users whose names were not sent yet. They count as sent from now on. */
  without(users: Users): Users;
  clear(): void;
}

export function createSentNames(): SentNames {
  const sent = new Map<string, number>();
  return {
    without(users) {
      const unsent: Users = {};
      for (const id in users) {
        const { rev } = users[id]!;
        if (sent.get(id) === rev) continue;
        if (sent.size >= MAX_SENT_NAMES) sent.clear();
        sent.set(id, rev);
        unsent[id] = users[id]!;
      }
      return unsent;
    },
    clear: () => sent.clear(),
  };
}

/** Of a room: beyond it, names are sent again. */
const MAX_SENT_NAMES = 1_000;

const HEADS_PER_QUERY = 500;

function byRoom(batch: readonly Committed[]): Map<string, Entry[]> {
  const rooms = new Map<string, Entry[]>();
  for (const { room, entry } of batch) {
    const entries = rooms.get(room);
    if (entries) entries.push(entry);
    else rooms.set(room, [entry]);
  }
  return rooms;
}

/** Always waits on a timer: a retry without one, on a store that is closed, would block the event loop with microtasks. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/**
 * Coalesces one room's entries into frames. The first frames of a burst are sent at once; beyond that, the entries of 15 ms
 * become one frame. `send` is called with one frame at a time, in order. `ticks`: a monotonic clock in milliseconds.
 */
export function createCoalescer<T>(
  send: (items: T[]) => Promise<void>,
  ticks: () => number,
): (items: readonly T[]) => void {
  let pending: T[] = [];
  let isScheduled = false;
  let bucket = { level: FRAME_RATE.burst, at: ticks() };
  let sending: Promise<void> = Promise.resolve();

  function flush() {
    isScheduled = false;
    const outcome = takeTokens(bucket, 1, ticks(), FRAME_RATE);
    if (!outcome.ok) return flushLater(outcome.retryAfter);
    bucket = outcome.state;
    const items = pending;
    pending = [];
    sending = sending.then(() => send(items));
  }

  function flushLater(ms: number) {
    isScheduled = true;
    setTimeout(flush, ms);
  }

  return (items) => {
    pending.push(...items);
    if (!isScheduled) flush();
  };
}

const FRAME_RATE = { perSecond: 1_000 / FRAME_COALESCE_MS, burst: FRAMES_BURST };

/**
 * Loads the head of a room, batched: a client welcomed into 500 rooms costs one query. Rejects with `Unavailable` for a room whose
 * head is unknown, and for that room only.
 */
export function createHeadLoader(log: Pick<LogStore, 'heads'>): (room: string) => Promise<number> {
  const load = createBatchLoader<string, number | undefined>({
    load: async (rooms) => {
      const heads = await log.heads(rooms);
      return rooms.map((room) => heads.get(room));
    },
    most: HEADS_PER_QUERY,
  });
  return async (room) => {
    const head = await load(room);
    if (head === undefined) throw new Unavailable('The head of this room is not known at the moment.');
    return head;
  };
}
