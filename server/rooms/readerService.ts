/**
 * Who has read what, in rooms whose members see that of each other. Whoever looks at a room asks once; from then on the
 * members are told what changes, many changes in one frame. Whoever hides what they have read does not see it of others.
 */
import { READERS_MAX_MEMBERS } from '../../shared/limits.ts';
import type { Answer, Frame, Request, User, Users } from '../../shared/protocol/index.ts';
import { RefusedError } from '../base/refusal.ts';
import { READERS_EVERY_MS } from '../base/serverLimits.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { LogStore, PresenceStore, RaisedMark, RoomStore, StoredRange } from '../store/port.ts';
import type { Access } from './access.ts';
import type { DirectRooms } from './directRooms.ts';
import type { SmallRooms } from './smallRooms.ts';

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
  heads: LogStore['heads'];
  settings: Pick<PresenceStore, 'of' | 'hideReads'>;
  names: { ofUsers(ids: readonly string[]): Promise<Users> };
  access: Pick<Access, 'refusalOf' | 'isMember'>;
  direct: Pick<DirectRooms, 'isOpen'>;
  smallRooms: Pick<SmallRooms, 'isSmall'>;
  /** To all members of the room who are connected, on every process. */
  tell(frame: Frame<'readers'>): void;
  /** The connections of this user are told nothing of others from now on, or again, and ask again; on every process. */
  setHiding(user: string, hides: boolean): void;
  /** Of changes by one user. */
  changes: Limiter;
}

export function createReaderService(deps: Deps): ReaderService {
  const { store, settings, heads, names, access, direct, smallRooms, tell, setHiding, changes } = deps;
  /** By room, then by user: what the members are not told yet. */
  let pending = new Map<string, Map<string, number>>();
  let timer: NodeJS.Timeout | undefined;

  /** Its members see how far each has read. */
  async function isTold(room: string): Promise<boolean> {
    return (await smallRooms.isSmall(room)) && direct.isOpen(room);
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
      if (shown.length > 0 && (await isTold(room).catch(() => false)))
        tell({ room, readers: Object.fromEntries(shown) });
    }
  }

  async function tellRoomsOf(user: string): Promise<void> {
    for (const room of (await store.ofUsers([user])).get(user) ?? [])
      if (await isTold(room)) tell({ room, readers: {}, again: true });
  }

  return {
    async readers(user, { room }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      const found = (await isTold(room)) ? await store.readers(room, READERS_MAX_MEMBERS + 1) : [];
      if (found.length > READERS_MAX_MEMBERS) return { readers: {}, users: {} };
      const hiding = await hidingAmong([user.id, ...found.map((one) => one.user)]);
      if (hiding.has(user.id)) return { readers: {}, users: {}, hidden: true };
      const readers = Object.fromEntries(found.map((one) => [one.user, hiding.has(one.user) ? 0 : one.upTo]));
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
      const head = await heads(Object.keys(rooms));
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
      if (!(await isTold(room))) return {};
      const members = (await store.readers(room, READERS_MAX_MEMBERS + 1)).map((one) => one.user);
      const records = await settings.of([user.id, ...members]);
      if (members.length > READERS_MAX_MEMBERS || records.get(user.id)?.hidesReads) return {};
      const shown = members.filter((id) => !records.get(id)?.hidesReads && !records.get(id)?.hides);
      const ranges = await store.reached(room, shown);
      const has = (id: string) => {
        const range = ranges.get(id);
        return range !== undefined && range.from <= message && message <= range.to;
      };
      return { by: shown.filter(has) };
    },
    stop() {
      clearTimeout(timer);
      pending.clear();
    },
  };
}
