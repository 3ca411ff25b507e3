/**
 * Who is typing. Signs of others are kept in memory for some seconds, never stored: each ends by time, since the sign that
 * ends it may be lost. The person's own signs are sent at once or not at all.
 */
import { isMessage } from '../../shared/kinds.ts';
import { TYPING_EVERY_MS, TYPING_MAX_MEMBERS, TYPING_SHOWN_MS } from '../../shared/limits.ts';
import type { Down, Frame, Request } from '../../shared/protocol/index.ts';
import { shownName } from '../../shared/text.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/userDatabase.ts';

export interface Typists {
  /** The names of those who are typing in the room, in the order in which they began; empty where the name is not known. */
  namesIn(room: string): readonly string[];
  /** To be called with every frame: signs of typing, and messages, which end them. */
  received(frame: Down): void;
  /** The person has changed the text for a new message; `members`: of the room. */
  typed(room: string, text: string, members: number): void;
  /** The person has sent a message, which ends the sign of typing for everybody who gets it. */
  sent(room: string): void;
  /** The connection ended: nothing is known of anybody. */
  down(): void;
}

interface Deps {
  db: UserDatabase;
  me: string;
  clock: Clock;
  isVisible(): boolean;
  /** Sends a sign, if that is possible at once. */
  say(sign: Request<'typing'>): void;
  /** Somebody began or stopped typing. */
  changed(): void;
}

interface Typist {
  /** Undefined until it is read. */
  name: string | undefined;
  ends: Timer;
}

/**
 * A message and a sign come by different ways where there are several server processes. A sign that arrives within this time
 * after its author's message may be older than it: it is ignored, and none is sent.
 */
const AFTER_MESSAGE_MS = 1_000;

export function createTypists({ db, me, clock, isVisible, say, changed }: Deps): Typists {
  /** By room, then by user, in the order in which they began. */
  const rooms = new Map<string, Map<string, Typist>>();
  /** When somebody's last message came, by room and user; the oldest first. */
  const wroteAt = new Map<string, number>();
  /** The last sign of this person, in `clock.ticks()`. */
  let said: { room: string; at: number } | undefined;

  function began(room: string, user: string): void {
    if (clock.ticks() - (wroteAt.get(`${room} ${user}`) ?? Number.NEGATIVE_INFINITY) < AFTER_MESSAGE_MS)
      return;
    const typists = rooms.get(room) ?? new Map<string, Typist>();
    rooms.set(room, typists);
    const known = typists.get(user);
    if (known) clock.clearTimeout(known.ends);
    const typist = { name: known?.name, ends: clock.setTimeout(() => stopped(room, user), TYPING_SHOWN_MS) };
    typists.set(user, typist);
    if (typist.name === undefined) void readName(user).then((name) => named(room, user, name));
  }

  async function readName(user: string): Promise<string> {
    const found = await db.read(['users'], (tx) => tx.objectStore('users').get(user)).catch(() => undefined);
    return found ? shownName(found.name) : '';
  }

  function named(room: string, user: string, name: string): void {
    const typist = rooms.get(room)?.get(user);
    if (!typist || typist.name !== undefined) return;
    typist.name = name;
    changed();
  }

  function stopped(room: string, user: string): void {
    const typists = rooms.get(room);
    const typist = typists?.get(user);
    if (!typists || !typist) return;
    clock.clearTimeout(typist.ends);
    typists.delete(user);
    if (typists.size === 0) rooms.delete(room);
    if (typist.name !== undefined) changed();
  }

  function clear(room: string): void {
    for (const user of [...(rooms.get(room)?.keys() ?? [])]) stopped(room, user);
  }

  function wrote({ room, entries }: Frame<'entries'>): void {
    const now = clock.ticks();
    for (const [key, at] of wroteAt) {
      if (now - at < AFTER_MESSAGE_MS) break;
      wroteAt.delete(key);
    }
    for (const entry of entries) {
      if (entry.author === me || !isMessage(entry)) continue;
      const key = `${room} ${entry.author}`;
      wroteAt.delete(key);
      wroteAt.set(key, now);
      stopped(room, entry.author);
    }
  }

  return {
    namesIn: (room) => [...(rooms.get(room)?.values() ?? [])].flatMap(({ name }) => name ?? []),
    received({ event, payload }) {
      if (event === 'entries') wrote(payload);
      else if (event === 'room' && 'removed' in payload) clear(payload.removed);
      else if (event === 'typing' && payload.user !== me)
        (payload.typing ? began : stopped)(payload.room, payload.user);
    },
    typed(room, text, members) {
      const isOfLast = said?.room === room;
      if (text === '') {
        if (isOfLast) say({ room, typing: false });
        said = undefined;
        return;
      }
      if (!isVisible() || members < 2 || members > TYPING_MAX_MEMBERS) return;
      const at = clock.ticks();
      if (isOfLast && at - said!.at < TYPING_EVERY_MS) return;
      said = { room, at };
      say({ room, typing: true });
    },
    sent(room) {
      said = { room, at: clock.ticks() + AFTER_MESSAGE_MS - TYPING_EVERY_MS };
    },
    down() {
      for (const room of [...rooms.keys()]) clear(room);
      said = undefined;
    },
  };
}
