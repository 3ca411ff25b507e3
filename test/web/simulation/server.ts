/**
 * A model server of the protocol: logs, sessions, sockets, ranges. Its faults have probabilities that can all be 0; all its
 * answers are allowed by the protocol.
 */

import { quotesIn } from '../../../server/feed/quotes.ts';
import { changedBy } from '../../../shared/aboutRoom.ts';
import { DIRECT, otherIn, pairOf } from '../../../shared/directPair.ts';
import type { Entry } from '../../../shared/entry.ts';
import { featureFor, isMessage, MENTIONS, makesRoom, REPLIES, repliedTo } from '../../../shared/kinds.ts';
import { HEADS_EVERY_MS, MENTIONS_LISTED_MAX, RANGE_MAX_ENTRIES } from '../../../shared/limits.ts';
import type { Cursor, Handshake, Item, ItemResult, Room } from '../../../shared/protocol/index.ts';
import { amendmentsOf, catchUpOf, olderThan } from '../modelLog.ts';
import type { Ill } from './ill.ts';
import {
  contentOf,
  createLogs,
  isBy,
  type LogRoom,
  type Logs,
  mentionsIn,
  notMember,
  type Out,
  reactionsTo,
  shown,
  type Unplaced,
} from './logs.ts';
import type { World } from './world.ts';

type NamedAs = Pick<Room, 'name' | 'about'>;

/** What this version needs of a server. */
export const OWN_FEATURES = [REPLIES, MENTIONS, DIRECT, 'reactions', 'takedown', 'create'];

/** A client's cursor and proof of a room. */
export interface Held {
  cursor?: Cursor | undefined;
  proof?: Cursor | undefined;
}

/** The server's side of a connection. */
export interface Conn {
  user: string;
  session: string;
  open: boolean;
  told: Map<string, number>;
  /** Cursors of the handshake in rooms of which the user was not a member. */
  cursorsElsewhere?: Map<string, Held>;
  send(event: string, payload: unknown): void;
  close(): void;
}

export interface Server {
  logs: Logs;
  names: Map<string, string>;
  /** The revision of each user. */
  revs: Map<string, number>;
  /** The features of the server. */
  features: string[];
  /** Rooms that fail now. */
  failing: Set<string>;
  /** The user of each session cookie. */
  sessions: Map<string, string>;
  up: boolean;
  /** The number of starts. */
  lives: number;
  /** Accepts a socket and sends welcome and catch-up, or refuses it. */
  connect(conn: Conn, handshake: Handshake): void;
  handle(from: { user: string; conn?: Conn }, event: string, payload: unknown): object;
  /** By the changes of the room in its log. */
  named(room: LogRoom): NamedAs;
  newRoom(name: string, members: readonly string[]): LogRoom;
  /** An action of another user, or of another device of the same user. */
  /** `mentioned`: the ids of people. */
  write(room: LogRoom, author: string, body: string, mentioned?: readonly string[]): void;
  amend(room: LogRoom, target: Entry, body: string | undefined): void;
  /** Appends an entry of any kind. */
  say(room: LogRoom, entry: Omit<Unplaced, 'clientOffset'>): void;
  rename(user: string, name: string): void;
  fail(room: string): void;
  heal(room: string): void;
  come(room: string, user: string): void;
  /** The user leaves, or `by` removes the user, or bans them. */
  leave(room: string, user: string, by?: string, how?: Out): void;
  bye(): void;
  /** The process ends, with all its connections. */
  stop(): void;
  signOut(session: string): void;
  newId(): string;
}

/** Reports the effects of each append, for the checks. */
export interface Witness {
  arrived(user: string, items: readonly Item[]): void;
  appended(room: LogRoom, author: string, item: Item, entry: Entry): void;
  refused(author: string, item: Item, code: string): void;
  /** An item whose feature the server lacks, over a connection whose welcome said so. */
  lacked(author: string, item: Item): void;
  /** An offset at which a span may begin. */
  announced(user: string, room: string, from: number): void;
}

interface Deps {
  world: World;
  ill: Ill;
  witness: Witness;
  newId: () => string;
}

export function createServer({ world, ill, witness, newId }: Deps): Server {
  const { random } = world;
  let at = 5_000;
  const logs = createLogs(newId(), () => ++at);
  const names = new Map<string, string>();
  const revs = new Map<string, number>();
  let rev = 0;
  const sessions = new Map<string, string>();
  const conns = new Set<Conn>();
  const ok = () => ({ ok: true as const, epoch: logs.now().epoch });
  const refusal = (code: string, retryAfter?: number) => ({
    ok: false as const,
    error: errorOf(code, retryAfter),
  });

  function describe(
    room: LogRoom,
    user: string,
    { cursor = [0, 0], proof = [0, 0] }: Held,
    same: boolean,
  ): Room {
    const fits = ([offset, at]: Cursor) => offset === 0 || (same && room.log[offset - 1]?.entry.at === at);
    const reset = !fits(cursor) || !fits(proof);
    const other = otherIn(room.id, user);
    return {
      id: room.id,
      ...(other === undefined
        ? { kind: 'public', ...server.named(room) }
        : { kind: 'direct', name: named(other).name, with: { id: other, ...named(other) } }),
      head: room.log.length,
      ...catchUpOf(room.log.map(shown), reset ? 0 : cursor[0]),
      readUpTo: room.readUpTo.get(user) ?? 0,
      members: room.members.size,
      ...(reset ? { reset } : {}),
      mentions: mentionsIn(room, user, room.readUpTo.get(user) ?? 0).slice(0, MENTIONS_LISTED_MAX),
    };
  }

  function catchUp(conn: Conn, { id, from, head }: Room): void {
    conn.told.set(id, head);
    witness.announced(conn.user, id, from);
    const entries = logs
      .room(id)!
      .log.slice(from - 1, head)
      .map(shown);
    while (entries.length > 0) sendEntries(conn, id, entries.splice(0, random.int(1, 9)));
  }

  function sendEntries(conn: Conn, room: string, entries: readonly Entry[]): void {
    const counted = reactionsOf(room, entries, conn.user);
    conn.send('entries', { room, entries, users: usersOf(entries), ...quotesOf(room, entries), ...counted });
  }

  /** As they are when the frame is made: when it arrives, they may have been edited or deleted. */
  function quotesOf(room: string, entries: readonly Entry[]) {
    const here = new Set(entries.map(({ serverOffset }) => serverOffset));
    const wanted = entries.flatMap((entry) => repliedTo(entry) ?? []).filter((offset) => !here.has(offset));
    return wanted.length === 0
      ? {}
      : { quotes: quotesIn(logs.room(room)!.log.map(shown), [], new Set(wanted)) };
  }

  /** `messages`: also to those among the entries. */
  function reactionsOf(id: string, entries: readonly Entry[], user: string | undefined, messages = false) {
    const targets = entries.flatMap((entry) =>
      entry.kind === 'reaction'
        ? entry.target!
        : messages && isMessage(entry) && !entry.deleted
          ? entry.serverOffset
          : [],
    );
    const reactions = targets.length === 0 ? [] : reactionsTo(logs.room(id)!, new Set(targets), user);
    return reactions.length === 0 ? {} : { reactions };
  }

  function usersOf(entries: readonly Entry[]) {
    return Object.fromEntries(entries.map(({ author }) => [author, named(author)]));
  }

  function named(id: string) {
    return { name: names.get(id) ?? '?', rev: revs.get(id) ?? 0 };
  }

  function changedSince(since: number) {
    const changed = [...revs].filter(([, its]) => its > since);
    return Object.fromEntries(changed.map(([id]) => [id, named(id)]));
  }

  /** One or more frames; each may be lost for a client, or be repeated, even much later. */
  function fanOut(room: LogRoom, from: number): void {
    const entries = room.log.slice(from - 1).map(shown);
    if (entries.length === 0 || server.failing.has(room.id)) return;
    for (const conn of conns) {
      if (!conn.open || !room.members.has(conn.user)) continue;
      if (ill.losesFrame()) continue;
      const counted = reactionsOf(room.id, entries, undefined);
      const frame = {
        room: room.id,
        entries,
        users: usersOf(entries),
        ...quotesOf(room.id, entries),
        ...counted,
      };
      conn.send('entries', frame);
      if (ill.repeatsFrame()) world.after(random.int(0, 6_000), () => conn.send('entries', frame)); // with the old names, too
    }
  }

  function append(user: string, items: readonly Item[], isTold: boolean): object {
    witness.arrived(user, items);
    const whole = ill.refusesAll();
    if (whole) for (const item of items) witness.refused(user, item, whole.code);
    if (whole && !whole.applied) return refusal(whole.code, whole.retryAfter);
    const heads = new Map([...logs.now().rooms.values()].map((room) => [room, room.log.length]));
    const begun: LogRoom[] = [];
    const results: ItemResult[] = [];
    let stopped: ReturnType<typeof errorOf> | undefined;
    for (const item of items) {
      const stop = ill.stops() ?? (server.failing.has(item.room) ? { code: 'unavailable' } : undefined);
      if (stop) {
        stopped = errorOf(stop.code, stop.retryAfter);
        witness.refused(user, item, stop.code);
        break;
      }
      const { clientOffset } = item;
      const isNew = logs.room(item.room) === undefined;
      const done = appendOne(user, item, isTold);
      if (isNew && 'entry' in done) begun.push(logs.room(item.room)!);
      if ('error' in done) {
        witness.refused(user, item, done.error.code);
        results.push({ clientOffset, error: done.error });
      } else results.push({ clientOffset, serverOffset: done.entry.serverOffset, at: done.entry.at });
    }
    const lineage = logs.now();
    const tell = () => {
      if (lineage !== logs.now()) return;
      for (const [room, head] of heads) fanOut(room, head + 1);
      for (const room of begun) for (const member of room.members) describeTo(member, room);
    };
    if (random.next() < 0.5) tell();
    else world.after(random.int(0, 40), tell);
    if (whole) return refusal(whole.code, whole.retryAfter);
    return { ...ok(), results, ...(stopped ? { stopped } : {}) };
  }

  function appendOne(
    user: string,
    item: Item,
    isTold: boolean,
  ): { entry: Entry } | { error: { code: string; message: string } } {
    const room = logs.room(item.room) ?? directRoom(item, user) ?? madeRoom(item, user);
    if (!room) return { error: errorOf('not-found') };
    const isKnown = room.log.some((each) => isBy(each, user, item.clientOffset));
    const feature = featureFor(item.kind, item, item.room);
    if (!isKnown && feature !== undefined && !server.features.includes(feature)) {
      if (isTold) witness.lacked(user, item);
      return { error: errorOf('invalid') };
    }
    if (!isKnown && ill.takesKey(`${user} ${item.clientOffset}`)) return { error: errorOf('conflict') };
    const code = isKnown ? undefined : ill.refuses();
    if (code) return { error: errorOf(code) };
    logs.now().rooms.set(room.id, room);
    const appended = logs.append(room, user, item);
    if ('error' in appended) return appended;
    if (appended.isNew) witness.appended(room, user, item, appended.entry);
    return appended;
  }

  /** A direct conversation begins with its first message. */
  function directRoom({ room: id, target }: Item, user: string): LogRoom | undefined {
    const pair = pairOf(id);
    if (!pair?.includes(user) || target !== undefined) return undefined;
    return { id, name: 'Mika and Lin', log: [], members: new Set(pair), readUpTo: new Map(), out: new Map() };
  }

  /** By the item that is its first entry. */
  function madeRoom({ room: id, kind, name }: Item, user: string): LogRoom | undefined {
    if (!makesRoom(kind)) return undefined;
    return { id, name: String(name), log: [], members: new Set([user]), readUpTo: new Map(), out: new Map() };
  }

  function describeTo(user: string, room: LogRoom): void {
    if (server.failing.has(room.id)) return;
    for (const conn of conns)
      if (conn.open && conn.user === user) {
        const described = describe(room, user, conn.cursorsElsewhere?.get(room.id) ?? {}, true);
        conn.cursorsElsewhere?.delete(room.id);
        conn.send('room', { room: described });
        catchUp(conn, described);
      }
  }

  function range(
    conn: { user: string },
    { room: id, from, to }: { room: string; from: number; to: number },
  ): object {
    const room = logs.room(id);
    if (!room && pairOf(id)?.includes(conn.user))
      return { ...ok(), entries: [], amendments: [], users: {}, head: 0 };
    if (!room?.members.has(conn.user))
      return room ? { ok: false, error: notMember(room, conn.user) } : refusal('forbidden');
    if (server.failing.has(id)) return refusal('unavailable');
    const most = ill.cutsShort() ? 2 : RANGE_MAX_ENTRIES;
    const last = Math.min(to, from + most - 1, room.log.length);
    const log = room.log.map(shown);
    const entries = log.slice(from - 1, last);
    const amendments = amendmentsOf(log, from, last);
    witness.announced(conn.user, id, from);
    return {
      ...ok(),
      entries,
      amendments,
      users: usersOf([...entries, ...amendments]),
      ...quotesOf(id, entries),
      ...reactionsOf(id, entries, conn.user, true),
      head: log.length,
      ...olderThan(log, from, last),
    };
  }

  function come(id: string, user: string): void {
    const room = logs.room(id)!;
    if (room.out.get(user) === 'out-banned')
      server.say(room, { author: [...room.members][0] ?? user, kind: 'unban', subject: user });
    room.out.delete(user);
    if (!room.members.has(user)) addByServer(room, user, 'join');
    describeTo(user, room);
  }

  function leave(id: string, user: string, by?: string, how?: Out): void {
    const room = logs.room(id)!;
    if (pairOf(id) || !room.members.has(user)) return;
    if (by === undefined) addByServer(room, user, 'leave');
    else {
      const kind = how === undefined ? 'test-removed' : how === 'out-banned' ? 'ban' : 'removal';
      server.say(room, { author: by, kind, subject: user });
      room.members.delete(user);
      if (how) room.out.set(user, how);
    }
    const reason = how && { reason: how };
    for (const conn of conns)
      if (conn.open && conn.user === user) conn.send('room', { removed: id, ...reason });
  }

  function addByServer(room: LogRoom, user: string, kind: 'join' | 'leave'): void {
    if (kind === 'join') room.members.add(user);
    const { entry } = logs.add(room, { author: user, clientOffset: newId(), kind }, kind);
    fanOut(room, entry.serverOffset);
    if (kind === 'leave') room.members.delete(user);
  }

  function handle({ user, conn }: { user: string; conn?: Conn }, event: string, payload: unknown): object {
    if (event !== 'append' && event !== 'beat') {
      const whole = ill.refusesAll();
      if (whole && whole.code !== 'invalid') return refusal(whole.code, whole.retryAfter);
    }
    const { room: id } = (payload ?? {}) as { room: string };
    const room = logs.room(id);
    switch (event) {
      case 'beat':
        return { ...ok(), now: at };
      case 'append': {
        const { as, items } = payload as { as: string; items: Item[] };
        return as === user ? append(user, items, conn !== undefined) : refusal('unauthorized');
      }
      case 'range':
        return range({ user }, payload as { room: string; from: number; to: number });
      case 'read': {
        const { upTo } = payload as { upTo: number };
        if (!room?.members.has(user)) return refusal('forbidden');
        const before = room.readUpTo.get(user) ?? 0;
        const now = Math.max(before, Math.min(upTo, room.log.length));
        room.readUpTo.set(user, now);
        for (const each of conns)
          if (each.open && each !== conn && each.user === user)
            each.send('read', { room: id, user, upTo: now });
        return ok();
      }
      case 'room:join':
        if (!room) return refusal('not-found');
        if (room.out.get(user) === 'out-banned') return { ok: false, error: notMember(room, user) };
        come(id, user);
        return { ...ok(), room: describe(room, user, {}, true) };
      case 'room:leave':
        if (!room) return refusal('not-found');
        leave(id, user);
        return ok();
      default:
        return refusal('invalid');
    }
  }

  const server: Server = {
    logs,
    names,
    sessions,
    revs,
    features: OWN_FEATURES,
    failing: new Set(),
    up: true,
    lives: 1,
    newId,
    handle,
    come,
    leave,
    connect(conn, { epoch, cursors = {}, proofs = {}, open, usersSince }) {
      conns.add(conn);
      const same = epoch === undefined || epoch === logs.now().epoch;
      const mine = [...logs.now().rooms.values()].filter(({ members }) => members.has(conn.user));
      const first = [...(open === undefined ? [] : [open]), ...Object.keys(cursors)];
      const all = mine.flatMap(({ id }) => (server.failing.has(id) ? [] : id));
      const order = [...new Set([...first, ...all])].filter((id) => all.includes(id));
      const heldOf = (id: string): Held => ({ cursor: cursors[id], proof: proofs[id] });
      const elsewhere = [...Object.keys(cursors), ...Object.keys(proofs)].filter((id) => !order.includes(id));
      if (same) conn.cursorsElsewhere = new Map(elsewhere.map((id) => [id, heldOf(id)]));
      const rooms = order.map((id) => describe(logs.room(id)!, conn.user, heldOf(id), same));
      const user = { id: conn.user, ...named(conn.user) };
      const failed = mine.flatMap(({ id }) =>
        server.failing.has(id) ? { id, error: errorOf('unavailable') } : [],
      );
      const users = usersSince === undefined ? {} : changedSince(usersSince);
      const gone = elsewhere.flatMap((id) => {
        const reason = logs.room(id)?.out.get(conn.user);
        return reason ? { id, reason } : [];
      });
      const beside = { features: server.features, failed, users, usersUpTo: rev, gone };
      conn.send('welcome', { protocol: 1, epoch: logs.now().epoch, now: at, user, rooms, ...beside });
      for (const room of rooms) catchUp(conn, room);
      const heads = () => {
        if (!conn.open) return void conns.delete(conn);
        const untold = [...logs.now().rooms.values()].filter(
          ({ id, log, members }) =>
            members.has(conn.user) && !server.failing.has(id) && conn.told.get(id) !== log.length,
        );
        for (const { id, log } of untold) conn.told.set(id, log.length);
        if (untold.length > 0)
          conn.send('heads', Object.fromEntries(untold.map(({ id, log }) => [id, log.length])));
        world.after(HEADS_EVERY_MS, heads);
      };
      world.after(random.int(1, HEADS_EVERY_MS), heads);
    },
    named: ({ name, log }) => changedBy<NamedAs>({ name }, log.map(shown)),
    say(room, unplaced) {
      const { entry } = logs.add(
        room,
        { ...unplaced, clientOffset: newId() } as Unplaced,
        JSON.stringify(unplaced),
      );
      fanOut(room, entry.serverOffset);
    },
    rename(id, name) {
      names.set(id, name);
      revs.set(id, ++rev);
      for (const conn of conns)
        if (conn.open && !ill.losesFrame()) conn.send('user', { user: { id, ...named(id) } });
    },
    fail: (room) => void server.failing.add(room),
    heal(id) {
      if (!server.failing.delete(id)) return;
      for (const user of logs.room(id)?.members ?? []) come(id, user);
    },
    newRoom(name, members) {
      const room: LogRoom = {
        id: newId(),
        name,
        log: [],
        members: new Set(),
        readUpTo: new Map(),
        out: new Map(),
      };
      logs.now().rooms.set(room.id, room);
      for (const user of members) addByServer(room, user, 'join');
      return room;
    },
    write(room, author, body, mentioned = []) {
      const mentions = mentioned.map((user) => ({ user, name: names.get(user)! }));
      const text = {
        clientOffset: newId(),
        kind: 'text',
        body,
        ...(mentions.length > 0 && { mentions }),
      };
      const item: Item = { room: room.id, ...text };
      const { entry } = logs.add(room, { author, ...text } as Unplaced, contentOf(item));
      fanOut(room, entry.serverOffset);
    },
    amend(room, { author, serverOffset: target }, body) {
      const kind = body === undefined ? 'delete' : 'edit';
      const { entry } = logs.add(
        room,
        { author, clientOffset: newId(), kind, target, ...(body === undefined ? {} : { body }) },
        kind,
      );
      fanOut(room, entry.serverOffset);
    },
    bye() {
      for (const conn of conns) {
        conn.send('bye', { retryAfter: random.int(100, 3_000) });
        world.after(20, conn.close);
      }
    },
    stop() {
      server.up = false;
      server.lives++;
      for (const conn of conns) conn.close();
      conns.clear();
    },
    signOut(session) {
      sessions.delete(session);
      for (const conn of conns) if (conn.session === session) conn.close();
    },
  };
  return server;
}

function errorOf(code: string, retryAfter?: number) {
  return { code, message: code, ...(retryAfter === undefined ? {} : { retryAfter }) };
}
