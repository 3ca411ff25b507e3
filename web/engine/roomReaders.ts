/**
 * How far the others have read: latest values, asked for when a room is on the screen, then kept up to date by frames. They
 * are stored with the room, so that they show offline. They may be behind, never ahead: when somebody joins, frames count
 * again only after a new answer, which has that member too.
 */
import { membershipOf } from '../../shared/kinds.ts';
import { ACKNOWLEDGE_WITHIN_MS, READERS_MAX_MEMBERS } from '../../shared/limits.ts';
import type { Down, Frame, Users } from '../../shared/protocol/index.ts';
import { shownName } from '../../shared/text.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { putUsers } from '../log/store/userNames.ts';
import type { Change } from '../records/change.ts';
import { type LocalRoom, type ReadBy, readByAll } from '../records/storedRecords.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

export interface RoomReaders {
  /** The room is on the screen. */
  look(room: string | undefined): void;
  /** To be called with every frame. */
  received(frame: Down): void;
  /** The names of the others who have read an entry, and of those who have not. Undefined where that is not known. */
  of(room: string, serverOffset: number, reached?: readonly string[]): Promise<ReadBy | undefined>;
  /** A welcome is stored: the markers are of the server's logs. */
  live(): void;
  /** The connection ended. */
  down(): void;
}

interface Deps {
  db: UserDatabase;
  me: string;
  clock: Clock;
  opened(): string | undefined;
  connection(): Pick<ConnectionRunner, 'ask'>;
  changed(change: Change): void;
}

interface Asked {
  /** Somebody joined or left after the request. */
  isStale: boolean;
  /** From frames that came before the answer. */
  early: Map<string, number>;
}

/** After somebody has joined or left, until the markers are asked for again: a class that joins is one request. */
const AGAIN_MS = 1_000;

export function createRoomReaders({ db, me, clock, opened, connection, changed }: Deps): RoomReaders {
  /** The rooms whose markers are complete in this connection, with the generation of their logs. */
  const complete = new Map<string, number>();
  const asked = new Map<string, Asked>();
  /** Who has joined or left since the connection began, by room: the last entry of each user. */
  const moved = new Map<string, Map<string, { serverOffset: number; isIn: boolean }>>();
  let again: Timer | undefined;
  /** Another one for each connection. Undefined while there is none. */
  let session: object | undefined;

  async function ask(room: string): Promise<void> {
    const mine = session;
    if (!mine || complete.has(room) || asked.has(room)) return;
    const request: Asked = { isStale: false, early: new Map() };
    asked.set(room, request);
    try {
      const known = await db.read(['rooms'], (tx) => tx.objectStore('rooms').get(room));
      if (!known || known.left || known.members > READERS_MAX_MEMBERS || mine !== session) return;
      const generation = known.logGeneration ?? 0;
      const answer = await connection().ask('readers', { room }, ACKNOWLEDGE_WITHIN_MS);
      if (!answer?.ok || mine !== session) return;
      if (isBehind(room, answer.readers)) return askLater();
      const readers = { ...answer.readers };
      for (const [user, upTo] of request.early)
        if (user in readers) readers[user] = Math.max(upTo, readers[user]!);
      await store(room, generation, () => readers, answer.users, answer.epoch, answer.hiding ?? []);
      if (mine !== session) return;
      if (request.isStale) askLater();
      else complete.set(room, generation);
    } finally {
      if (asked.get(room) === request) asked.delete(room);
    }
  }

  /** On MongoDB the row of a member follows the entry: the answer may not know yet who has joined or left. */
  function isBehind(room: string, readers: Readers): boolean {
    const isLarge = Object.keys(readers).length === 0;
    return !isLarge && [...(moved.get(room) ?? [])].some(([user, { isIn }]) => isIn !== user in readers);
  }

  /** Unless the log was deleted since. */
  async function store(
    room: string,
    generation: number,
    next: (before: Readers) => Readers,
    users: Users = {},
    epoch?: string,
    hidingReads?: readonly string[],
  ): Promise<void> {
    const [hasGrown, renamed] = await db.write(
      ['rooms', 'users', 'meta'],
      async (tx) => {
        const stored = await tx.objectStore('rooms').get(room);
        const isOther = epoch !== undefined && epoch !== (await tx.objectStore('meta').get('epoch'));
        if (!stored || isOther || (stored.logGeneration ?? 0) !== generation) return [false, []] as const;
        const readers = next(stored.readers ?? {});
        const now = { ...stored, readers, ...(hidingReads && { hidingReads }) };
        await tx.objectStore('rooms').put(now);
        return [readByAll(now, me) !== readByAll(stored, me), await putUsers(tx, users)] as const;
      },
      'relaxed',
    );
    if (renamed.length > 0) changed({ type: 'users', users: renamed });
    if (hasGrown) changed({ type: 'readers', rooms: [room] });
  }

  function apply({ room, readers, again: isOver }: Frame<'readers'>): void {
    if (isOver) {
      forget(room);
      if (room === opened()) askLater();
      return;
    }
    const told = Object.entries(readers).filter(([user]) => user !== me);
    const { early } = asked.get(room) ?? {};
    for (const [user, upTo] of told) early?.set(user, Math.max(upTo, early.get(user) ?? 0));
    const generation = complete.get(room);
    if (generation === undefined) {
      if (room === opened()) askLater(); // the server could not answer the last time
      return;
    }
    if (told.length === 0) return;
    const grown = (before: Readers) => ({
      ...before,
      ...Object.fromEntries(
        told.flatMap(([user, upTo]) => (user in before ? [[user, Math.max(upTo, before[user]!)]] : [])),
      ),
    });
    store(room, generation, grown).catch(failed);
  }

  function askLater(): void {
    again ??= clock.setTimeout(() => {
      again = undefined;
      look(opened());
    }, AGAIN_MS);
  }

  function look(room: string | undefined): void {
    if (room !== undefined) ask(room).catch(failed);
  }

  function forget(room: string): void {
    complete.delete(room);
    const request = asked.get(room);
    if (request) request.isStale = true;
  }

  return {
    look,
    received({ event, payload }) {
      if (event === 'readers') apply(payload);
      else if (event === 'presence' && 'again' in payload) {
        for (const room of [...complete.keys(), ...asked.keys()]) forget(room);
        askLater(); // perhaps the user hides their own from now on, or does not any more
      } else if (event === 'room') {
        if ('removed' in payload) forget(payload.removed);
        if (!('room' in payload)) return;
        forget(payload.room.id); // a direct conversation has members from its first message on
        if (payload.room.id === opened()) askLater();
      } else if (event === 'entries') {
        const { room, entries } = payload;
        const moves = entries.filter(membershipOf);
        if (moves.length === 0) return;
        const ofRoom = moved.get(room) ?? new Map<string, { serverOffset: number; isIn: boolean }>();
        moved.set(room, ofRoom);
        for (const entry of moves) {
          const { serverOffset, author, subject: user = author } = entry;
          const isNewer = serverOffset >= (ofRoom.get(user)?.serverOffset ?? 0); // a frame may come twice
          if (isNewer) ofRoom.set(user, { serverOffset, isIn: membershipOf(entry) === 'joined' });
        }
        forget(room);
        askLater();
      }
    },
    of: (room, serverOffset, reached = []) =>
      db.read(['rooms', 'users'], async (tx) => {
        const stored = await tx.objectStore('rooms').get(room);
        const others = Object.entries(stored?.readers ?? {}).filter(([user]) => user !== me);
        if (!stored || stored.members > READERS_MAX_MEMBERS || others.length === 0) return undefined;
        const users = await Promise.all(others.map(([user]) => tx.objectStore('users').get(user)));
        const hiding = new Set(stored.hidingReads);
        const named = others.map(([user, upTo], i) => ({
          upTo: hiding.has(user) ? undefined : upTo,
          isReached: reached.includes(user),
          name: users[i] ? shownName(users[i].name) : '',
        }));
        const namesOf = (some: typeof named) => some.map(({ name }) => name).sort();
        return {
          read: namesOf(named.filter(({ upTo }) => upTo !== undefined && upTo >= serverOffset)),
          unread: namesOf(
            named.filter(({ upTo, isReached }) => upTo !== undefined && upTo < serverOffset && !isReached),
          ),
          reached: namesOf(
            named.filter(({ upTo, isReached }) => upTo !== undefined && upTo < serverOffset && isReached),
          ),
          hiding: namesOf(named.filter(({ upTo }) => upTo === undefined)),
        };
      }),
    live() {
      session = {};
      look(opened());
    },
    down() {
      session = undefined;
      complete.clear();
      asked.clear();
      moved.clear();
      if (again !== undefined) clock.clearTimeout(again);
      again = undefined;
    },
  };

  function failed(error: unknown): void {
    if (session) console.warn('how far others have read could not be stored', error);
  }
}

type Readers = NonNullable<LocalRoom['readers']>;
