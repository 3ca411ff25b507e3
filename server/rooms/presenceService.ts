/**
 * Presence: answers who is here, and tells those who watch a room who comes and goes. A connection watches at most one room,
 * the one that it asked for last, and only where that is small; so a change costs one short frame for each who looks at a
 * room with that person, and nothing where nobody looks. Nothing of it is an entry, and no request waits for it.
 */
import { PRESENCE_MAX_MEMBERS } from '../../shared/limits.ts';
import type { Answer, Frame, PersonPresence, Request, User, Users } from '../../shared/protocol/index.ts';
import { nameKey } from '../../shared/text.ts';
import type { Logger } from '../base/logger.ts';
import { NAMES_SEARCHED, PRESENCE_EVERY_MS, SEEN_PER_WRITE } from '../base/serverLimits.ts';
import type { PresenceStore, RoomStore, UserStore } from '../store/port.ts';
import type { Access } from './access.ts';
import type { DirectRooms } from './directRooms.ts';
import { createWhoIsHere, type HereReport } from './whoIsHere.ts';

/** Between the processes of one deployment. They may be lost. */
export type PresenceMessage =
  | { report: HereReport }
  /** The process with this id is asked for all who are here by it. */
  | { ask: string }
  /** This user hides from now on, or does not any more. */
  | { hiding: { user: string; hides: boolean } };

export interface PresenceService {
  /** The page of this connection says whether somebody looks at it. */
  sign(connection: string, user: string, isHere: boolean): void;
  ended(connection: string): void;
  /** Answers `presence`. */
  people(user: User, request: Request<'presence'>): Promise<Unmarked<'presence'>>;
  /** After that answer, before anything else can happen: the connection is told what changes in the room. */
  watch(connection: string, user: string, request: Request<'presence'>, answer: Answer<'presence'>): void;
  /** Answers `presence:show`. */
  show(user: User, request: Request<'presence:show'>): Promise<Unmarked<'presence:show'>>;
  /** A user joined the room, or left it. */
  moved(room: string, user: string, isIn: boolean): void;
  /** Who may see whom in this room has changed: those who watch it, on this process, ask anew. */
  forget(room: string): void;
  /** Joins and leaves may have been missed. */
  clear(): void;
  heard(message: PresenceMessage): void;
  start(): void;
  stop(): void;
  /** What `start` does every PRESENCE_EVERY_MS. Resolves when the store has answered. */
  tick(): Promise<void>;
}

type Unmarked<Name extends 'presence' | 'presence:show'> = Omit<Answer<Name>, 'ok' | 'epoch'>;

interface Deps {
  store: PresenceStore;
  rooms: Pick<RoomStore, 'members' | 'roles'>;
  users: Pick<UserStore, 'search'>;
  names: { ofUsers(ids: readonly string[]): Promise<Users> };
  access: Pick<Access, 'refusalOf'>;
  direct: Pick<DirectRooms, 'isOpen'>;
  /** To one connection of this process. False where it is not in the room any more. */
  tell(connection: string, room: string, frame: Frame<'presence'>): boolean;
  /** To all connections of this user, on every process. */
  tellUser(user: string, frame: Frame<'presence'>): void;
  /** To the other processes; undefined where there are none. */
  send: ((message: PresenceMessage) => void) | undefined;
  /** The id of this process. */
  process: string;
  logger: Pick<Logger, 'warn'>;
  /** A monotonic clock in milliseconds. */
  ticks: () => number;
  /** The wall clock in milliseconds. */
  now: () => number;
}

interface Watched {
  members: Set<string>;
  connections: Set<string>;
}

export function createPresenceService({
  store,
  rooms,
  users,
  names,
  access,
  direct,
  tell,
  tellUser,
  send,
  process,
  logger,
  ticks,
  now,
}: Deps): PresenceService {
  const here = createWhoIsHere({ process, ticks, now });
  const watched = new Map<string, Watched>();
  /** The room that each connection watches, and whose it is. */
  const watchers = new Map<string, { room: string; user: string }>();
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  /** Whose setting changed while the store is asked for it: its answer may be older. */
  const setMeanwhile = new Set<string>();

  function presenceOf(user: string, stored?: number): PersonPresence {
    if (here.isHere(user)) return { here: true };
    const seenAt = Math.max(stored ?? 0, here.wentAt(user) ?? 0);
    return seenAt > 0 ? { seenAt } : {};
  }

  /** Members whose names begin so: at most PRESENCE_MAX_MEMBERS, of the first NAMES_SEARCHED such names on the server. */
  async function namedIn(room: string, begins: string): Promise<string[]> {
    const named = await users.search(nameKey(begins), NAMES_SEARCHED);
    const { members } = await rooms.roles(
      room,
      named.map(({ id }) => id),
    );
    return members.slice(0, PRESENCE_MAX_MEMBERS);
  }

  function unwatch(connection: string): void {
    const room = watchers.get(connection)?.room;
    watchers.delete(connection);
    const one = room === undefined ? undefined : watched.get(room);
    one?.connections.delete(connection);
    if (one?.connections.size === 0) watched.delete(room!);
  }

  function tellWatchers(room: string, frame: Frame<'presence'>): void {
    for (const connection of [...(watched.get(room)?.connections ?? [])])
      if (!tell(connection, room, frame)) unwatch(connection);
  }

  /** Those who watch the room ask anew. */
  function drop(room: string): void {
    tellWatchers(room, { again: true });
    for (const connection of [...(watched.get(room)?.connections ?? [])]) unwatch(connection);
  }

  function tellChanges(changed: ReadonlySet<string>): void {
    if (changed.size === 0) return;
    for (const [room, { members }] of watched) {
      const moved = [...members].filter((user) => changed.has(user));
      if (moved.length === 0) continue;
      tellWatchers(room, { room, people: Object.fromEntries(moved.map((user) => [user, presenceOf(user)])) });
    }
  }

  function setHiding(user: string, hides: boolean): void {
    if (asking) setMeanwhile.add(user);
    applyHiding(user, hides);
  }

  function applyHiding(user: string, hides: boolean): void {
    here.hides(user, hides);
    if (hides) for (const [connection, watcher] of watchers) if (watcher.user === user) unwatch(connection);
  }

  /** Whether these people hide: again once a minute, since a message of another process may be lost. */
  async function learn(users: readonly string[]): Promise<void> {
    if (asking || users.length === 0) return;
    asking = true;
    try {
      for (let i = 0; i < users.length; i += SEEN_PER_WRITE) {
        const slice = users.slice(i, i + SEEN_PER_WRITE);
        const records = await store.of(slice);
        for (const user of slice)
          if (!setMeanwhile.has(user)) applyHiding(user, records.get(user)?.hides ?? false);
      }
    } catch (error) {
      logger.warn({ err: error }, 'who hides could not be read; it is read again');
    } finally {
      asking = false;
      setMeanwhile.clear();
    }
  }

  async function save(seen: Parameters<PresenceStore['seen']>[0]): Promise<void> {
    for (let i = 0; i < seen.length; i += SEEN_PER_WRITE) {
      const slice = seen.slice(i, i + SEEN_PER_WRITE);
      await store.seen(slice).catch((error: unknown) => {
        logger.warn({ err: error }, 'when people were here last could not be stored; it is stored later');
        here.notSaved(slice);
      });
    }
  }

  async function tick(): Promise<void> {
    const { changed, report, unknown, seen } = here.advance();
    if (report) send?.({ report });
    tellChanges(new Set(changed));
    await Promise.all([save(seen), learn([...new Set([...unknown, ...seen.map(({ user }) => user)])])]);
  }

  return {
    sign: here.sign,
    ended(connection) {
      here.ended(connection);
      unwatch(connection);
    },
    async people(user, { room, after = '', begins }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      const all =
        begins === undefined
          ? await rooms.members(room, after, PRESENCE_MAX_MEMBERS + 1)
          : await namedIn(room, begins);
      const found = (await direct.isOpen(room)) ? all : all.filter((id) => id === user.id);
      const page = found.slice(0, PRESENCE_MAX_MEMBERS);
      const [records, users] = await Promise.all([store.of([...page, user.id]), names.ofUsers(page)]);
      const hidden = records.get(user.id)?.hides === true;
      const shownOf = (id: string) => {
        const record = records.get(id);
        return hidden || record?.hides ? {} : presenceOf(id, record?.seenAt);
      };
      return {
        people: Object.fromEntries(page.map((id) => [id, shownOf(id)])),
        users,
        ...(found.length > page.length && { next: page.at(-1)! }),
        ...(hidden && { hidden }),
      };
    },
    watch(connection, user, { room, after, begins }, { people, next, hidden }) {
      if (after !== undefined || begins !== undefined) return; // a part of the members
      unwatch(connection);
      if (next !== undefined || hidden) return;
      const connections = watched.get(room)?.connections ?? new Set();
      watched.set(room, { members: new Set(Object.keys(people)), connections: connections.add(connection) });
      watchers.set(connection, { room, user });
    },
    async show({ id }, { show }) {
      if (show === undefined) return { shown: !(await store.of([id])).get(id)?.hides };
      await store.hide(id, !show);
      setHiding(id, !show);
      send?.({ hiding: { user: id, hides: !show } });
      tellUser(id, { again: true });
      return { shown: show };
    },
    moved(room, user, isIn) {
      const one = watched.get(room);
      if (!one) return;
      if (isIn) one.members.add(user);
      else one.members.delete(user);
      if (one.members.size > PRESENCE_MAX_MEMBERS) drop(room);
    },
    forget: drop,
    clear() {
      for (const room of [...watched.keys()]) drop(room);
    },
    heard(message) {
      if ('report' in message) {
        if (here.heard(message.report)) send?.({ ask: message.report.process });
      } else if ('hiding' in message) setHiding(message.hiding.user, message.hiding.hides);
      else if (message.ask === process) here.asked();
    },
    start() {
      timer = setInterval(() => void tick(), PRESENCE_EVERY_MS).unref();
    },
    stop: () => clearInterval(timer),
    tick,
  };
}
