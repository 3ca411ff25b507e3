/**
 * Who has read what, in rooms whose members see that of each other. Whoever looks at a room asks once; from then on the
 * members are told what changes, many changes in one frame.
 */
import { READERS_MAX_MEMBERS } from '../../shared/limits.ts';
import type { Answer, Frame, Request, User, Users } from '../../shared/protocol/index.ts';
import { READERS_EVERY_MS } from '../base/serverLimits.ts';
import type { RaisedMark, RoomStore } from '../store/port.ts';
import type { Access } from './access.ts';
import type { DirectRooms } from './directRooms.ts';
import type { SmallRooms } from './smallRooms.ts';

export interface ReaderService {
  readers(user: User, request: Request<'readers'>): Promise<Omit<Answer<'readers'>, 'ok' | 'epoch'>>;
  /** A member has read on: tells the others, soon. */
  raised(mark: RaisedMark): void;
  stop(): void;
}

interface Deps {
  store: Pick<RoomStore, 'readers'>;
  names: { ofUsers(ids: readonly string[]): Promise<Users> };
  access: Pick<Access, 'refusalOf'>;
  direct: Pick<DirectRooms, 'isOpen'>;
  smallRooms: Pick<SmallRooms, 'isSmall'>;
  /** To all members of the room who are connected, on every process. */
  tell(frame: Frame<'readers'>): void;
}

export function createReaderService({ store, names, access, direct, smallRooms, tell }: Deps): ReaderService {
  /** By room, then by user: what the members are not told yet. */
  let pending = new Map<string, Map<string, number>>();
  let timer: NodeJS.Timeout | undefined;

  /** Its members see how far each has read. */
  async function isTold(room: string): Promise<boolean> {
    return (await smallRooms.isSmall(room)) && direct.isOpen(room);
  }

  async function tellAll(): Promise<void> {
    timer = undefined;
    const told = pending;
    pending = new Map();
    for (const [room, readers] of told)
      if (await isTold(room).catch(() => false)) tell({ room, readers: Object.fromEntries(readers) });
  }

  return {
    async readers(user, { room }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      const found = (await isTold(room)) ? await store.readers(room, READERS_MAX_MEMBERS + 1) : [];
      if (found.length > READERS_MAX_MEMBERS) return { readers: {}, users: {} };
      const readers = Object.fromEntries(found.map((one) => [one.user, one.upTo]));
      return { readers, users: await names.ofUsers(Object.keys(readers)) };
    },
    raised({ room, user, upTo }) {
      const readers = pending.get(room) ?? new Map<string, number>();
      pending.set(room, readers.set(user, Math.max(upTo, readers.get(user) ?? 0)));
      timer ??= setTimeout(() => void tellAll(), READERS_EVERY_MS).unref();
    },
    stop() {
      clearTimeout(timer);
      pending.clear();
    },
  };
}
