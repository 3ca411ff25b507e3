/**
 * Who has read what, in rooms whose members see that of each other. Whoever looks at a room asks once; from then on the
 * members are told what changes, many changes in one frame. Whoever hides what they have read does not see it of others.
 */
import { otherIn } from '../../shared/directPair.ts';
import { READERS_MAX_MEMBERS } from '../../shared/limits.ts';
import type { Answer, Frame, Request, User, Users } from '../../shared/protocol/index.ts';
import { RefusedError } from '../base/refusal.ts';
import { READERS_EVERY_MS } from '../base/serverLimits.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { LogStore, PresenceStore, RaisedMark, Reader, RoomStore, StoredRange } from '../store/port.ts';
import type { Access } from './access.ts';
import type { DirectRooms } from './directRooms.ts';
import type { SmallRooms } from './smallRooms.ts';
import { firstSince, unreadableLog } from './timeInLog.ts';

export interface ReaderService {
  readers(user: User, request: Request<'readers'>): Promise<Omit<Answer<'readers'>, 'ok' | 'epoch'>>;
  /** A member has read on: tells the others, soon. */
  raised(mark: RaisedMark): void;
  /** Whether others see what the user has read; with `show` it is set, for all devices of the user. */
  show(user: User, request: Request<'readers:show'>): Promise<{ shown: boolean }>;
  /** A device of the user has stored these entries. Only of rooms whose members may know it; the others are left out. */
  stored(user: User, request: Request<'stored'>): Promise<void>;
  /** Who has the message on a device, without those who hide what they have read, or when they are here. */
  reached(user: User, request: Request<'reached'>): Promise<{ by?: string[] }>;
  stop(): void;
}

interface Deps {
  store: Pick<RoomStore, 'readers' | 'ofUsers' | 'reach' | 'reached'>;
  log: Pick<LogStore, 'heads' | 'timesAt'>;
  settings: Pick<PresenceStore, 'of' | 'hideReads'>;
  names: { ofUsers(ids: readonly string[]): Promise<Users> };
  access: Pick<Access, 'refusalOf' | 'isMember'>;
  direct: Pick<DirectRooms, 'shownUntil'>;
  smallRooms: Pick<SmallRooms, 'isSmall'>;
  /** To all members of the room who are connected, on every process, but not to `except`. */
  tell(frame: Frame<'readers'>, except?: string): void;
  /** The connections of this user are told nothing of others from now on, or again, and ask again; on every process. */
  setHiding(user: string, hides: boolean): void;
  /** Of changes by one user. */
  changes: Limiter;
  /** Of rooms of which one user tells what their devices have stored. */
  reports: Limiter;
}

export function createReaderService(deps: Deps): ReaderService {
  const { store, settings, log, names, access, direct, smallRooms, tell, setHiding, changes, reports } = deps;
  /** By room, then by user: what the members are not told yet. */
  let pending = new Map<string, Map<string, number>>();
  let timer: NodeJS.Timeout | undefined;

  /** Until when its members see of each other how far they have read; undefined where they do not. */
  async function shownUntil(room: string): Promise<number | undefined> {
    return (await smallRooms.isSmall(room)) ? direct.shownUntil(room) : undefined;
  }

  /** The last entry of the room of which members see that others have it. */
  async function lastShown(room: string, until: number): Promise<number> {
    if (until === Number.POSITIVE_INFINITY) return until;
    const head = (await log.heads([room])).get(room);
    if (head === undefined) throw unreadableLog();
    return (await firstSince(log, room, head, until)) - 1;
  }

  async function hidingAmong(users: readonly string[]): Promise<Set<string>> {
    const records = await settings.of(users);
    return new Set(users.filter((user) => records.get(user)?.hidesReads));
  }

  /** Where the store does not answer, nobody is told: the next request brings it. */
  async function tellAll(): Promise<void> {
    timer = undefined;
    const told = pending;
    pending = new Map();
    const users = new Set([...told.values()].flatMap((readers) => [...readers.keys()]));
    const hiding = await hidingAmong([...users]).catch(() => users);
    for (const [room, readers] of told) {
      const shown = [...readers].filter(([user]) => !hiding.has(user));
      const until = shown.length > 0 ? await shownUntil(room).catch(() => undefined) : undefined;
      if (until === Number.POSITIVE_INFINITY) tell({ room, readers: Object.fromEntries(shown) });
      else if (until !== undefined)
        for (const [user, upTo] of shown) tell({ room, readers: { [user]: upTo } }, otherIn(room, user));
    }
  }

  async function tellRoomsOf(user: string): Promise<void> {
    for (const room of (await store.ofUsers([user])).get(user) ?? [])
      if ((await shownUntil(room)) !== undefined) tell({ room, readers: {}, again: true });
  }

  return {
    async readers(user, { room }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      const until = await shownUntil(room);
      const found = until === undefined ? [] : await store.readers(room, READERS_MAX_MEMBERS + 1);
      if (found.length > READERS_MAX_MEMBERS) return { readers: {}, users: {} };
      const hiding = await hidingAmong([user.id, ...found.map((one) => one.user)]);
      if (hiding.has(user.id)) return { readers: {}, users: {}, hidden: true };
      const last = found.length > 0 ? await lastShown(room, until!) : 0;
      const shown = ({ user: id, upTo }: Reader) => (id === user.id ? upTo : Math.min(upTo, last));
      const readers = Object.fromEntries(
        found.map((one) => [one.user, hiding.has(one.user) ? 0 : shown(one)]),
      );
      return {
        readers,
        users: await names.ofUsers(Object.keys(readers)),
        ...(hiding.size > 0 && { hiding: [...hiding] }),
      };
    },
    async show({ id }, { show }) {
      if (show === undefined) return { shown: !(await hidingAmong([id])).has(id) };
      const retryAfter = changes.take(id, 1);
      if (retryAfter > 0)
        throw new RefusedError('rate-limited', 'You have changed this too often; wait a moment.', retryAfter);
      await settings.hideReads(id, !show);
      setHiding(id, !show);
      void tellRoomsOf(id).catch(() => {}); // who was not told asks when they open the room
      return { shown: show };
    },
    raised({ room, user, upTo }) {
      const readers = pending.get(room) ?? new Map<string, number>();
      pending.set(room, readers.set(user, Math.max(upTo, readers.get(user) ?? 0)));
      timer ??= setTimeout(() => void tellAll(), READERS_EVERY_MS).unref();
    },
    async stored({ id }, { rooms }) {
      const retryAfter = reports.take(id, Object.keys(rooms).length);
      if (retryAfter > 0)
        throw new RefusedError('rate-limited', 'That is told too often; wait a moment.', retryAfter);
      const head = await log.heads(Object.keys(rooms));
      const ranges: StoredRange[] = [];
      for (const [room, [from, end]] of Object.entries(rooms)) {
        const to = Math.min(end, head.get(room) ?? 0);
        if (from <= to && (await access.isMember(room, id)) && (await smallRooms.isSmall(room)))
          ranges.push({ room, from, to });
      }
      if (ranges.length > 0) await store.reach(id, ranges);
    },
    async reached(user, { room, message }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      const until = await shownUntil(room);
      if (until === undefined) return {};
      const members = (await store.readers(room, READERS_MAX_MEMBERS + 1)).map((one) => one.user);
      const records = await settings.of([user.id, ...members]);
      if (members.length > READERS_MAX_MEMBERS || records.get(user.id)?.hidesReads) return {};
      const shown = members.filter((id) => !records.get(id)?.hidesReads && !records.get(id)?.hides);
      const [ranges, last] = await Promise.all([store.reached(room, shown), lastShown(room, until)]);
      const has = (id: string) => {
        const range = ranges.get(id);
        const to = Math.min(range?.to ?? 0, id === user.id ? Number.POSITIVE_INFINITY : last);
        return range !== undefined && range.from <= message && message <= to;
      };
      return { by: shown.filter(has) };
    },
    stop() {
      clearTimeout(timer);
      pending.clear();
    },
  };
}
