/**
 * The requests about rooms: list, get, join, leave, mark as read. Joins and leaves are entries of the room's log, so they
 * go through `EntryWriter`; the sockets of a user follow when the feed delivers those entries.
 */
import { otherIn, pairOf } from '../../shared/directPair.ts';
import { ROOM_LIST_PAGE, ROOMS_FOUND_MAX, ROOMS_SEARCHED } from '../../shared/limits.ts';
import { LOBBY } from '../../shared/mint.ts';
import type { Answer, Request, Room, RoomSettings, User, Users } from '../../shared/protocol/index.ts';
import { nameKey } from '../../shared/text.ts';
import { RefusedError, Unavailable } from '../base/refusal.ts';
import type { KeyedQueue } from '../limits/keyedQueue.ts';
import type { Limiter } from '../limits/limiter.ts';
import type {
  AppendResult,
  EntryKey,
  OwnFields,
  RaisedMark,
  RoomRecord,
  RoomStore,
  UserStore,
} from '../store/port.ts';
import { type Access, expelled, noSuchRoom, notMember } from './access.ts';
import type { Invitations } from './invitations.ts';
import { listCursor, positionOf } from './listCursor.ts';
import type { Moderation } from './moderation.ts';
import { named, presentRoom } from './present.ts';
import type { RoomLimits } from './roomLimits.ts';

export interface RoomService {
  list(user: User, request: Request<'room:list'>): Promise<{ rooms: Room[]; next?: string }>;
  /** What somebody sees who opens a link to a room: a member's room, or a public one. `not-found` for all others. */
  get(user: User, request: Request<'room:get'>): Promise<{ room: Room }>;
  /** Whoever has a name, to begin a direct conversation with; or who somebody is. */
  person(user: User, request: Request<'person'>): Promise<Omit<Answer<'person'>, 'ok' | 'epoch'>>;
  /** `address`: the client's, where guesses at invitations count. */
  join(user: User, request: Request<'room:join'>, address: string): Promise<{ room: Room }>;
  leave(user: User, request: Request<'room:leave'>): Promise<void>;
  read(user: User, request: Request<'read'>): Promise<{ upTo: number }>;
  choose(user: User, request: Request<'room:choose'>): Promise<{ settings: RoomSettings }>;
  /** Makes a new user a member of the lobby. Idempotent: called again it writes nothing, also after the user left. */
  joinLobby(userId: string): Promise<void>;
}

/** What this service needs of ingest. */
export interface EntryWriter {
  /** Appends an entry of a kind that only the server writes. Rejects with `Unavailable`. */
  appendOwn(key: EntryKey, kind: string, fields?: OwnFields): Promise<AppendResult>;
  /** Is this key in the log, and with this content, or with one of these? */
  lookUp(key: EntryKey, kind: string, ...fields: OwnFields[]): Promise<'new' | 'repeat' | 'conflict'>;
}

interface Deps {
  store: RoomStore;
  users: Pick<UserStore, 'byNameKey' | 'byId'>;
  names: { ofUsers(ids: readonly string[]): Promise<Users> };
  /** Tokens per user, for names that are looked up, and for searches of rooms. */
  lookUps: Limiter;
  searches: Limiter;
  entries: EntryWriter;
  access: Access;
  limits: RoomLimits;
  invitations: Pick<Invitations, 'useToJoin' | 'left'>;
  moderation: Pick<Moderation, 'handOn'>;
  /**
   * By user: one join or leave at a time, and no new room meanwhile. Each reads whether the user is a member, and counts, before it writes; two
   * leaves at the same time would both find a member, and write two entries.
   */
  inTurn: KeyedQueue;
  /** Stores a read marker, soon; returns the one that holds. */
  raiseMark: (mark: RaisedMark) => number;
  /** A head that the room has at least; 0 where none is known in memory. */
  knownHead: (room: string) => number;
  /** The wall clock in milliseconds. */
  now: () => number;
}

export function createRoomService({
  store,
  users,
  names,
  lookUps,
  searches,
  entries,
  access,
  limits,
  invitations,
  moderation,
  inTurn,
  raiseMark,
  knownHead,
  now,
}: Deps): RoomService {
  /** Resolves with `repeat` where the log has this entry already. `outdated`: only with a `roleSeq`. */
  async function appendMembership(
    user: string,
    room: string,
    clientOffset: string,
    kind: 'join' | 'leave',
    roleSeq?: number,
  ): Promise<'appended' | 'repeat' | 'outdated'> {
    const fields = roleSeq === undefined ? {} : { roleSeq };
    const result = await entries.appendOwn({ room, author: user, clientOffset }, kind, fields);
    if (result.tag === 'outdated') return 'outdated';
    if (result.tag === 'conflict') throw otherContent();
    if (result.tag === 'no-room') throw noSuchRoom();
    if (result.tag !== 'appended' && result.tag !== 'repeat') throw new Error(`a ${kind} gave ${result.tag}`);
    return result.tag;
  }

  async function listed(after: string | undefined) {
    const rooms = await store.listPublic(positionOf(after), ROOM_LIST_PAGE + 1);
    const page = rooms.slice(0, ROOM_LIST_PAGE);
    return { page, next: rooms.length > page.length ? page.at(-1) : undefined };
  }

  async function found(user: User, key: string, after: string | undefined) {
    const retryAfter = searches.take(user.id, 1);
    if (retryAfter > 0)
      throw new RefusedError('rate-limited', 'That were many searches; wait a moment.', retryAfter);
    const { rooms, next } = await store.searchPublic(key, positionOf(after), ROOMS_FOUND_MAX, ROOMS_SEARCHED);
    return { page: rooms, next };
  }

  async function existing(id: string): Promise<RoomRecord> {
    const room = await store.byId(id);
    if (!room) throw noSuchRoom();
    return room;
  }

  async function presentTo(user: User, id: string): Promise<Room> {
    const room = readable(await existing(id));
    const [[readUpTo = 0], settings] = await Promise.all([
      store.readUpTo(user.id, [id]),
      store.chosen(id, user.id),
    ]);
    return named(presentRoom(room, readUpTo, { settings }), user.id, names);
  }

  /**
   * The room as a member sees it; to others a private room is `not-found`, and a public one is shown as in the list. Also the
   * answer to a repeat, whose user may have left the room since. Asks the store, since the cache of memberships may be some
   * milliseconds behind.
   */
  async function presentIfVisible(user: User, id: string): Promise<Room> {
    if (await store.isMember(id, user.id)) return presentTo(user, id);
    const room = await existing(id);
    if (room.kind !== 'public') throw noSuchRoom();
    return presentRoom(readable(room), 0);
  }

  return {
    async list(user, { after, query = '' }) {
      const key = nameKey(query);
      const { page, next } = await (key === '' ? listed(after) : found(user, key, after));
      const readUpTo = await store.readUpTo(
        user.id,
        page.map(({ id }) => id),
      );
      const presented = page.map((room, i) => presentRoom(room, readUpTo[i]!));
      return { rooms: presented, ...(next && { next: listCursor(next) }) };
    },

    get: async (user, { room }) => ({ room: await presentIfVisible(user, room) }),

    async person(user, asked) {
      const retryAfter = lookUps.take(user.id, 1);
      if (retryAfter > 0)
        throw new RefusedError('rate-limited', 'That were many names; wait a moment.', retryAfter);
      const found = await ('id' in asked ? users.byId(asked.id) : users.byNameKey(nameKey(asked.name)));
      if (!found) throw new RefusedError('not-found', 'Nobody has this name.');
      const { id, name, rev, createdAt } = found;
      if (!('id' in asked)) return { user: { id, name, rev } };
      const roomsOf = await store.ofUsers([user.id, id]);
      const theirs = new Set(roomsOf.get(id));
      const shared = (roomsOf.get(user.id) ?? []).filter((room) => theirs.has(room) && !pairOf(room));
      return { user: { id, name, rev }, since: createdAt, rooms: shared };
    },

    async join(user, { room: id, clientOffset, invite }, address) {
      return inTurn(user.id, async () => {
        const known = await entries.lookUp({ room: id, author: user.id, clientOffset }, 'join');
        if (known === 'conflict') throw otherContent();
        if (known === 'repeat') return { room: await presentIfVisible(user, id) };
        if (!(await store.isMember(id, user.id))) {
          if ((await store.exits(user.id, [id])).get(id) === 'banned') throw expelled('banned');
          // first: to whoever has no invitation, a private room does not exist
          if (invite !== undefined) await invitations.useToJoin(invite, user.id, id, address);
          const room = await existing(id);
          if (room.kind !== 'public' && invite === undefined) throw noSuchRoom();
          await limits.checkJoin(user.id, id, readable(room).head);
          await limits.charged(user.id, () => appendMembership(user.id, id, clientOffset, 'join'));
        }
        return { room: await presentTo(user, id) };
      });
    },

    async leave(user, { room, clientOffset }) {
      await inTurn(user.id, async () => {
        const known = await entries.lookUp({ room, author: user.id, clientOffset }, 'leave');
        if (known === 'repeat') {
          if (!(await store.isMember(room, user.id))) await invitations.left(user.id, room);
          return;
        }
        if (known === 'conflict') throw otherContent();
        if (pairOf(room)) throw new RefusedError('forbidden', 'Nobody can leave a direct conversation.');
        if (!(await store.isMember(room, user.id))) throw notMember(await store.byId(room));
        for (let outcome = 'outdated'; outcome === 'outdated'; ) {
          const roleSeq = await moderation.handOn(user.id, room);
          outcome = await limits.charged(user.id, () =>
            appendMembership(user.id, room, clientOffset, 'leave', roleSeq),
          );
        }
        await invitations.left(user.id, room);
      });
    },

    async read(user, { room, upTo }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      const head = upTo <= knownHead(room) ? upTo : readable(await existing(room)).head;
      return { upTo: raiseMark({ room, user: user.id, upTo: Math.min(upTo, head) }) };
    },

    async choose(user, { room, ago, ...choice }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      if (choice.blocked !== undefined) {
        if (!pairOf(room))
          throw new RefusedError('invalid', 'Only the other one of a direct conversation can be blocked.');
        if (!(await users.byId(otherIn(room, user.id)!))) throw noSuchRoom();
        // without entries only the user is told of it, so the other one does not notice
        await store.begin({ id: room, createdBy: user.id, createdAt: now() });
      }
      return { settings: await store.choose(room, user.id, choice, now() - ago) };
    },

    async joinLobby(userId) {
      const result = await entries.appendOwn({ room: LOBBY, author: userId, clientOffset: userId }, 'join');
      if (result.tag !== 'appended' && result.tag !== 'repeat')
        throw new Unavailable(`joining the lobby gave ${result.tag}`);
    },
  };
}

function otherContent(): RefusedError {
  return new RefusedError('conflict', 'Another item was sent under this key.');
}

/** Throws where the head is not known: without it, the client would take the log for one restored from a backup. */
function readable(room: RoomRecord): RoomRecord & { head: number } {
  const { head } = room;
  if (head === undefined) throw new Unavailable('This room cannot be read at the moment; try again.');
  return { ...room, head };
}
