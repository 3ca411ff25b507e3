/** Keeps the database in step with the server's logs: frames in, in the order they came; what they lack is fetched (S2). */
import { CATCH_UP_WITHIN_MS } from '../../shared/limits.ts';
import type { Down, Entries, Frame, Handshake, Room, Users, Welcome } from '../../shared/protocol/index.ts';
import type { Change } from '../db/changes.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { StorageHealth } from '../state/storageState.ts';
import type { Link } from '../transport/link.ts';
import { createAsking } from './asking.ts';
import { createFetch, type Fetch } from './fetch.ts';
import { createFreshen, type Freshen } from './freshen.ts';
import { readHandshake } from './handshake.ts';
import { cursorIn, type Incoming } from './hold.ts';
import { removeRoom, storeRoom, storeWelcome } from './rooms.ts';
import { isRun, take } from './take.ts';

export interface Sync extends Pick<Fetch, 'older' | 'newer'>, Pick<Freshen, 'freshen'> {
  handshake(): Promise<Handshake>;
  frame(frame: Down): void;
  /** A frame of entries could not be read. */
  unreadable(room: unknown): void;
  down(): void;
  /** A room one has come into, as an answer says it: its frame may come before or after. */
  joined(room: Room): Promise<void>;
  left(room: string): Promise<void>;
  /** True while what was missed is not here yet. */
  catchingUp(): boolean;
  /** An own entry was acknowledged at a place that nothing held covers: it may be amended already. */
  check(room: string, serverOffset: number): void;
  /** Milliseconds to add to the device's clock to have the server's: 0 until it said what it has. For people to read. */
  offsetOfClock(): number;
  close(): void;
}

export interface SyncDeps {
  db: UserDatabase;
  me: string;
  /** The room that is being looked at. */
  opened: () => string | undefined;
  link: () => Pick<Link, 'ask' | 'tell'>;
  clock: Clock;
  random: () => number;
  changed(change: Change): void;
  storage: StorageHealth;
  /** Another device of the user, or another member, read so far. */
  read(frame: Frame<'read'>): void;
  /** A welcome was taken, whatever the catch-up still brings. */
  welcomed(): void;
  /** `catchingUp` may have another answer. */
  progressed(): void;
}

export function createSync(deps: SyncDeps): Sync {
  const { db, me, clock } = deps;
  /** Where a catch-up that was announced begins, and the head it goes to. */
  const expected = new Map<string, { from: number; head: number }>();
  let inOrder: Promise<unknown> = Promise.resolve();
  let grace: Timer | undefined;
  let welcoming = false;
  let clockOffset = 0;
  let closed = false;

  const asking = createAsking(deps.link, clock, deps.random);
  const storeNext = (incoming: Incoming, users: Users) => next(() => store(incoming, users));
  const fetch = createFetch({ db, asking, store: storeNext, progressed: deps.progressed });
  const { freshen, forget } = createFreshen({ db, asking, store: storeNext });

  /** Frames and answers are taken one after the other: what resets a log and what belongs to the new one never mix. */
  function next<T>(work: () => Promise<T>): Promise<T> {
    const done = inOrder.then(work);
    inOrder = done.catch(() => {});
    return done;
  }

  /** What cannot be stored has to come again, from where the database stands then. */
  function attempt(work: () => Promise<void>): void {
    next(work).then(deps.storage.worked, (error) => {
      if (closed) return;
      deps.storage.failed(error);
      console.warn('what the server sent could not be stored', error);
      deps.link().tell({ type: 'unusable' });
    });
  }

  function frame(received: Down): void {
    if (closed) return;
    switch (received.event) {
      case 'welcome':
        welcoming = true;
        attempt(() => welcome(received.payload));
        return;
      case 'entries':
        attempt(() => entries(received.payload));
        return;
      case 'heads':
        attempt(() => heads(received.payload));
        return;
      case 'room':
        attempt(() => roomChanged(received.payload));
        return;
      case 'read':
        deps.read(received.payload);
        return;
      case 'typing':
      case 'bye':
        return;
    }
  }

  async function welcome(payload: Welcome): Promise<void> {
    clockOffset = payload.now - clock.now();
    await storeWelcome(db, payload);
    fetch.forget();
    forget();
    expected.clear();
    for (const room of payload.rooms) await expect(room);
    welcoming = false;
    deps.welcomed();
    deps.changed({ type: 'all' });
    waitForCatchUp();
    const [opened, all] = [deps.opened(), payload.rooms.map(({ id }) => id)];
    const rooms = opened !== undefined && all.includes(opened) ? [opened, ...all] : all;
    for (const room of rooms) if (!expected.has(room)) fetch.want(room);
    deps.progressed();
  }

  /** A catch-up that was announced may open a span. */
  async function expect({ id, from, head }: Room): Promise<void> {
    fetch.know(id, head, 'exactly');
    const cursor = await db.read(['spans'], (tx) => cursorIn(tx, id));
    if (from <= head && cursor < head) expected.set(id, { from, head });
  }

  /** Announced, but it does not come: asked for instead. */
  function waitForCatchUp(): void {
    if (grace !== undefined) clock.clearTimeout(grace);
    grace = undefined;
    if (expected.size === 0) return;
    grace = clock.setTimeout(() => {
      const late = [...expected.keys()];
      expected.clear();
      late.forEach(fetch.want);
      deps.progressed();
    }, CATCH_UP_WITHIN_MS);
  }

  async function entries({ room, entries: run, users }: Entries): Promise<void> {
    const [first, last] = [run[0]?.serverOffset, run.at(-1)?.serverOffset];
    if (first === undefined || last === undefined) return;
    if (!isRun(run, first)) return unreadable(room);
    fetch.know(room, last);
    const announced = expected.get(room);
    const opens = announced?.from === first;
    const held = await store({ room, entries: run, amendments: [], amendedTo: last, opens }, users);
    if (held && announced && last >= announced.head) expected.delete(room);
    if (announced) waitForCatchUp();
    if (!held || (!expected.has(room) && last < fetch.headOf(room))) fetch.want(room);
    deps.progressed();
  }

  async function heads(payload: Record<string, number>): Promise<void> {
    for (const [room, head] of Object.entries(payload)) {
      fetch.know(room, head);
      if (!expected.has(room)) fetch.want(room);
    }
  }

  async function roomChanged(payload: { room: Room } | { removed: string }): Promise<void> {
    if ('removed' in payload) {
      await removeRoom(db, payload.removed);
      expected.delete(payload.removed);
    } else {
      await storeRoom(db, payload.room);
      await expect(payload.room);
      if (!expected.has(payload.room.id)) fetch.want(payload.room.id);
    }
    waitForCatchUp();
    deps.changed({ type: 'all' });
    deps.progressed();
  }

  async function store(incoming: Incoming, users: Entries['users']): Promise<boolean> {
    const taken = await take(db, me, incoming, users);
    deps.changed({ type: taken.settled ? 'rows' : 'log', rooms: [incoming.room] });
    return taken.held;
  }

  function unreadable(room: unknown): void {
    if (typeof room !== 'string' || closed) return;
    attempt(async () => {
      fetch.know(room, 1 + (await db.read(['spans'], (tx) => cursorIn(tx, room)))); // one at least; the answer says more
      expected.delete(room);
      fetch.want(room);
    });
  }

  return {
    handshake: () => readHandshake(db, me, deps.opened()),
    frame,
    unreadable,
    down() {
      welcoming = false;
      expected.clear();
      waitForCatchUp();
    },
    joined: (room) => next(() => roomChanged({ room })),
    left: (room) => next(() => roomChanged({ removed: room })),
    older: fetch.older,
    newer: fetch.newer,
    freshen,
    check: (room, serverOffset) =>
      void fetch.at(room, serverOffset).catch((error) => {
        if (!closed) console.warn('an own message was not looked up', error);
      }),
    offsetOfClock: () => clockOffset,
    catchingUp: () => welcoming || expected.size > 0 || fetch.isBusy(),
    close() {
      closed = true;
      fetch.close();
      asking.close();
      if (grace !== undefined) clock.clearTimeout(grace);
    },
  };
}
