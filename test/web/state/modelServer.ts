/**
 * A model of the server in memory, with sockets that the test drives: a test can delay, drop and reorder every frame and
 * answer.
 */
import { changedBy, type RoomFields } from '../../../shared/aboutRoom.ts';
import type { Entry } from '../../../shared/entry.ts';
import { isMessage, isRemoval, isReplacement, makesRoom, mayAmend, redacted } from '../../../shared/kinds.ts';
import { RANGE_MAX_ENTRIES } from '../../../shared/limits.ts';
import { idFrom, LOBBY } from '../../../shared/mint.ts';
import type {
  Device,
  Handshake,
  Item,
  Room,
  User,
  Users,
  WireError,
} from '../../../shared/protocol/index.ts';
import { OURS, PAST_WORKER } from '../../../web/load/whoAnswers.ts';
import type { RawSocket } from '../../../web/transport/socket.ts';
import { amendmentsOf, catchUpOf, olderThan, unreadIn } from '../modelLog.ts';

export interface ModelRoom {
  id: string;
  name: string;
  log: Entry[];
}

type Ack = (answer: unknown) => void;

export interface FakeSocket extends RawSocket {
  options: { auth: Handshake; transports: string[] };
  /** Delivers a frame of the server. */
  hear(event: string, payload: unknown): void;
  /** Describes a room, and catches it up from the cursor of the handshake. */
  comeInto(room: string): void;
  /** The connection is lost. */
  drop(): void;
}

export interface ModelServer {
  epoch: string;
  rooms: Map<string, ModelRoom>;
  names: Map<string, string>;
  /** Revisions of users whose name changed. */
  revs: Map<string, number>;
  features: string[];
  /** The user of the browser's cookie. */
  cookie: User | undefined;
  passwords: Map<string, string>;
  /** What a handshake without a session is told beyond its code. */
  refusal: { reason?: string };
  /** Of the user who is signed in; the first one is the browser's. */
  devices: Device[];
  /** Recovery codes by user. */
  recovery: Map<string, string>;
  /** One-time passes and codes: whose they are, and the claim of whoever has taken one. */
  passes: Map<string, { user: User; claim?: string }>;
  /** By claim and name. */
  claims: Map<string, User>;
  reachable: boolean;
  sockets: FakeSocket[];
  /** Every append as it arrived. */
  appends: Item[][];
  /** Called for each request that arrives. True: the request is not handled. */
  intercept: (event: string, payload: unknown, ack: Ack, handle: () => void) => boolean;
  /** Refusals of messages, by body. */
  refuse: Map<string, WireError>;
  /** Rooms that cannot be read or written now. */
  failing: Set<string>;
  /** The room works again, and is described to its members. */
  heal(room: string): void;
  /** The read markers of the user, by room. */
  readUpTo: Map<string, number>;
  /** Restores the lobby to its first entries, with the read marker at their end; all connections end. */
  restore(head: number, epoch: string): void;
  /** True: live frames are not sent. */
  mute: boolean;
  io(options: unknown): RawSocket;
  fetch: typeof globalThis.fetch;
  /** Another user appends. */
  write(author: string, body: string, room?: string): Entry;
  /** An owner changes a room. */
  changeRoom(room: string, author: string, fields: RoomFields): Entry;
  amend(kind: 'edit' | 'delete', target: number, body?: string, room?: string): Entry;
  append(as: string, item: Item): { serverOffset: number; at: number } | WireError;
  /** Changes a user's name, with a `user` frame unless `mute`. */
  rename(id: string, name: string): void;
  live(): FakeSocket | undefined;
}

let minted = 0;
export function mint(): string {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, ++minted);
  return idFrom(bytes);
}

export function createModelServer(): ModelServer {
  const rooms = new Map<string, ModelRoom>([[LOBBY, { id: LOBBY, name: 'Lobby', log: [] }]]);
  const claims = new Map<string, User>();
  let clock = 5_000;
  let rev = 0;

  const server: ModelServer = {
    epoch: 'epoch-1',
    rooms,
    names: new Map(),
    revs: new Map(),
    features: [],
    cookie: undefined,
    passwords: new Map(),
    claims,
    refusal: {},
    devices: [],
    recovery: new Map(),
    passes: new Map(),
    reachable: true,
    sockets: [],
    appends: [],
    intercept: () => false,
    refuse: new Map(),
    failing: new Set(),
    heal(room) {
      server.failing.delete(room);
      server.live()?.comeInto(room);
    },
    readUpTo: new Map(),
    restore(head, epoch) {
      const room = rooms.get(LOBBY)!;
      room.log = room.log.slice(0, head);
      server.epoch = epoch;
      server.readUpTo.set(LOBBY, head);
      for (const socket of server.sockets) socket.drop();
    },
    mute: false,
    io: (options) => open(options as FakeSocket['options']),
    fetch: (input, init) => answerHttp(String(input), init),
    write: (author, body, room = LOBBY) => add(room, { author, clientOffset: mint(), kind: 'text', body }),
    changeRoom: (room, author, fields) =>
      add(room, { author, clientOffset: mint(), kind: 'about', ...fields }),
    amend(kind, target, body, room = LOBBY) {
      const { author } = rooms.get(room)!.log[target - 1]!;
      const entry = { author, clientOffset: mint(), kind, target, ...(body === undefined ? {} : { body }) };
      return add(room, entry);
    },
    append,
    rename(id, name) {
      server.names.set(id, name);
      server.revs.set(id, ++rev);
      if (server.cookie?.id === id) server.cookie = { id, name, rev };
      for (const socket of server.sockets)
        if (socket.connected && !server.mute) socket.hear('user', { user: { id, ...namedOf(id) } });
    },
    live: () => server.sockets.findLast((socket) => socket.connected),
  };

  function add(room: string, content: Record<string, unknown>): Entry {
    const { log } = rooms.get(room)!;
    const entry = { ...content, serverOffset: log.length + 1, at: ++clock } as unknown as Entry;
    log.push(entry);
    if (isRemoval(entry)) {
      const { target } = entry;
      rooms.get(room)!.log = log.map((each) =>
        each.serverOffset === target || (isReplacement(each) && each.target === target)
          ? redacted(each)
          : each,
      );
    }
    if (!server.mute) sendAll(room, [entry]);
    return entry;
  }

  function sendAll(room: string, entries: Entry[]) {
    for (const socket of server.sockets)
      if (socket.connected) socket.hear('entries', { room, entries, users: usersOf(entries) });
  }

  function usersOf(entries: readonly Entry[]): Users {
    return Object.fromEntries(entries.map(({ author }) => [author, namedOf(author)]));
  }

  function changedSince(since: number): Users {
    const changed = [...server.revs].filter(([, its]) => its > since);
    return Object.fromEntries(changed.map(([id]) => [id, namedOf(id)]));
  }

  function namedOf(id: string) {
    return { name: server.names.get(id) ?? 'somebody', rev: server.revs.get(id) ?? 0 };
  }

  function append(as: string, item: Item): { serverOffset: number; at: number } | WireError {
    const refused = server.refuse.get(String(item.name));
    if (makesRoom(item.kind) && !refused && !rooms.has(item.room)) {
      rooms.set(item.room, { id: item.room, name: String(item.name), log: [] });
      queueMicrotask(() => server.live()?.comeInto(item.room));
    }
    const room = rooms.get(item.room);
    if (!room && refused) return refused;
    if (!room) return { code: 'not-found', message: 'no such room' };
    const there = room.log.find((entry) => entry.author === as && entry.clientOffset === item.clientOffset);
    if (there) return { serverOffset: there.serverOffset, at: there.at };
    const error = server.refuse.get(item.body ?? '');
    if (error) return error;
    const { room: _, target: key, ...content } = item;
    if (key === undefined) return add(room.id, { ...content, author: as });
    const { author, clientOffset } = typeof key === 'string' ? { author: as, clientOffset: key } : key;
    const target = room.log.find(
      (entry) => entry.author === author && entry.clientOffset === clientOffset && isMessage(entry),
    );
    if (!target || !mayAmend({ kind: item.kind, author: as }, target))
      return { code: 'not-found', message: 'no such message' };
    return add(room.id, { ...content, author: as, target: target.serverOffset });
  }

  function readUpToOf(room: string): number {
    return server.readUpTo.get(room) ?? 0;
  }

  function describe(
    room: ModelRoom,
    [held, at]: readonly [number, number],
    [proof, proofAt]: readonly [number, number] = [0, 0],
  ): Room {
    const head = room.log.length;
    const is = (offset: number, at: number) => offset === 0 || room.log[offset - 1]?.at === at;
    const reset = !is(held, at) || !is(proof, proofAt);
    return {
      id: room.id,
      kind: 'public',
      ...changedBy<Pick<Room, 'name' | 'about'>>({ name: room.name }, room.log),
      head,
      ...catchUpOf(room.log, reset ? 0 : held),
      readUpTo: readUpToOf(room.id),
      unread: unreadIn(room.log, server.cookie!.id, readUpToOf(room.id)),
      members: 2,
      ...(reset ? { reset } : {}),
    };
  }

  function open(options: FakeSocket['options']): FakeSocket {
    const listeners = new Map<string, ((payload: unknown) => void)[]>();
    const onPacket: (() => void)[] = [];
    const say = (event: string, payload?: unknown) => {
      for (const listener of listeners.get(event) ?? []) listener(payload);
    };
    let connected = false;
    let ended = false;
    const socket: FakeSocket = {
      options,
      get connected() {
        return connected;
      },
      io: { engine: { on: (event, listener) => event === 'packet' && onPacket.push(listener) } },
      on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
      connect: () => queueMicrotask(() => !ended && accept()),
      disconnect() {
        ended = true;
        connected = false;
      },
      emit(event, ...args) {
        if (!connected) throw new Error('emitted while not connected');
        const ack = (typeof args.at(-1) === 'function' ? args.pop() : () => {}) as Ack; // `typing` has none
        const answered: Ack = (answer) => {
          if (!connected) return;
          for (const listener of onPacket) listener();
          ack(structuredClone(answer));
        };
        const payload = structuredClone(args[0]);
        const handleIt = () => handle(event, payload, answered);
        queueMicrotask(() => server.intercept(event, payload, answered, handleIt) || handleIt());
      },
      get volatile() {
        return socket;
      },
      hear(event, payload) {
        if (!connected) return;
        for (const listener of onPacket) listener();
        say(event, structuredClone(payload));
      },
      comeInto(room) {
        const described = describeTo(rooms.get(room)!);
        socket.hear('room', { room: described });
        catchUp(described);
      },
      drop() {
        if (!connected) return;
        connected = false;
        say('disconnect', 'transport close');
      },
    };

    function accept() {
      if (!server.reachable) return say('connect_error', new Error('xhr poll error'));
      const { auth } = options;
      if (server.cookie?.id !== auth.as) {
        const data = { code: 'unauthorized', message: 'Sign in first.', ...server.refusal };
        return say('connect_error', Object.assign(new Error(data.message), { data }));
      }
      connected = true;
      server.sockets.push(socket);
      say('connect');
      const described = [...rooms.values()].filter(({ id }) => !server.failing.has(id)).map(describeTo);
      socket.hear('welcome', {
        protocol: 1,
        epoch: server.epoch,
        now: clock,
        user: { id: server.cookie!.id, ...namedOf(server.cookie!.id) },
        features: server.features,
        rooms: described,
        failed: [...server.failing].map((id) => ({ id, error: UNAVAILABLE })),
        users: auth.usersSince === undefined ? {} : changedSince(auth.usersSince),
        usersUpTo: rev,
      });
      described.forEach(catchUp);
    }

    function describeTo(room: ModelRoom): Room {
      const { auth } = options;
      const sameEpoch = auth.epoch === undefined || auth.epoch === server.epoch;
      const cursor = auth.cursors?.[room.id] ?? [0, 0];
      return sameEpoch ? describe(room, cursor, auth.proofs?.[room.id]) : describe(room, [0, 0]);
    }

    function catchUp({ id, from, head }: Room) {
      if (from > head) return;
      const entries = rooms.get(id)!.log.slice(from - 1);
      socket.hear('entries', { room: id, entries, users: usersOf(entries) });
    }
    return socket;
  }

  function handle(event: string, payload: unknown, ack: Ack) {
    const ok = { ok: true, epoch: server.epoch };
    const me = server.cookie!;
    switch (event) {
      case 'beat':
        return ack({ ...ok, now: clock });
      case 'append': {
        const { as, items } = payload as { as: string; items: Item[] };
        server.appends.push(items);
        if (as !== me.id) return ack({ ok: false, error: { code: 'unauthorized', message: '' } });
        const stop = items.findIndex(({ room }) => server.failing.has(room));
        const results = items.slice(0, stop < 0 ? items.length : stop).map((item) => {
          const result = append(as, item);
          const { clientOffset } = item;
          return 'code' in result
            ? { clientOffset, error: result }
            : { clientOffset, serverOffset: result.serverOffset, at: result.at };
        });
        return ack({ ...ok, results, ...(stop < 0 ? {} : { stopped: UNAVAILABLE }) });
      }
      case 'range': {
        const { room, from, to } = payload as { room: string; from: number; to: number };
        if (server.failing.has(room)) return ack({ ok: false, error: UNAVAILABLE });
        const log = rooms.get(room)!.log;
        const last = Math.min(to, from + RANGE_MAX_ENTRIES - 1, log.length);
        const entries = log.slice(from - 1, last);
        const amendments = amendmentsOf(log, from, last);
        const users = usersOf([...entries, ...amendments]);
        return ack({ ...ok, entries, amendments, users, head: log.length, ...olderThan(log, from, last) });
      }
      case 'read': {
        const { room, upTo } = payload as { room: string; upTo: number };
        const head = rooms.get(room)!.log.length;
        server.readUpTo.set(room, Math.max(readUpToOf(room), Math.min(upTo, head)));
        return ack(ok);
      }
      case 'room:get': {
        const room = rooms.get((payload as { room: string }).room);
        if (!room) return ack({ ok: false, error: { code: 'not-found', message: '' } });
        return ack({ ...ok, room: describe(room, [0, 0]) });
      }
      case 'room:list':
        return ack({ ...ok, rooms: [...rooms.values()].map((room) => describe(room, [0, 0])) });
      default:
        return ack({ ok: false, error: { code: 'invalid', message: event } });
    }
  }

  async function answerHttp(path: string, init: RequestInit | undefined): Promise<Response> {
    if (!server.reachable) throw new TypeError('Failed to fetch');
    const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
    const refused = (status: number, code: string) =>
      json(status, { ok: false, error: { code, message: code } });
    const session = () => ({
      user: server.cookie,
      device: { id: mint() },
      hasPassword: server.passwords.has(server.cookie!.id),
      hasRecoveryCode: server.recovery.has(server.cookie!.id),
      devices: 1,
      features: server.features,
    });
    if (init?.method === 'DELETE' && path.startsWith('/api/devices/')) {
      const others = server.devices.filter(({ id }) => !path.endsWith(id));
      if (others.length === server.devices.length) return refused(404, 'not-found');
      server.devices = others;
      return json(200, { ok: true });
    }
    switch (`${init?.method} ${path}`) {
      case `undefined ${PAST_WORKER}`:
        return new Response(OURS);
      case 'GET /api/session':
        return server.cookie ? json(200, session()) : refused(401, 'unauthorized');
      case 'DELETE /api/session':
        server.cookie = undefined;
        return json(200, { ok: true });
      case 'GET /api/devices':
        return server.cookie ? json(200, { devices: server.devices }) : refused(401, 'unauthorized');
      case 'PUT /api/name': {
        if (!server.cookie) return refused(401, 'unauthorized');
        const { id } = server.cookie;
        const { name } = JSON.parse(String(init?.body)) as { name: string };
        if ([...server.names].some(([user, each]) => each === name && user !== id))
          return refused(409, 'conflict');
        if (name === 'Fourth') {
          const error = { code: 'forbidden', message: 'too often', retryAfter: 3_600_000 };
          return json(403, { ok: false, error });
        }
        server.rename(id, name);
        return json(200, { user: server.cookie });
      }
      case 'PUT /api/password':
        server.passwords.set(
          server.cookie!.id,
          (JSON.parse(String(init?.body)) as { password: string }).password,
        );
        return json(200, { ok: true });
      case 'POST /api/code':
        if (!server.cookie) return refused(401, 'unauthorized');
        server.passes.set('K7Q-M4P', { user: server.cookie });
        return json(201, { code: 'K7Q-M4P', expiresAt: clock + 600_000 });
      case 'POST /api/recovery-code': {
        if (!server.cookie) return refused(401, 'unauthorized');
        const code = mint();
        server.recovery.set(server.cookie.id, code);
        return json(201, { code });
      }
      case 'POST /api/session/pass': {
        const { pass, claim } = JSON.parse(String(init?.body)) as { pass: string; claim: string };
        const known = server.passes.get(pass);
        if (!known || (known.claim ?? claim) !== claim) return refused(401, 'unauthorized');
        known.claim = claim;
        server.cookie = known.user;
        claims.set(`${claim} ${known.user.name}`, known.user);
        return json(201, session());
      }
      case 'POST /api/session': {
        const { name, claim, password, recovery, as } = JSON.parse(String(init?.body)) as {
          name: string;
          claim: string;
          password?: string;
          recovery?: string;
          as?: string;
        };
        const proves = (user: string) =>
          (password && server.passwords.get(user) === password) ||
          (recovery && server.recovery.get(user) === recovery);
        const renewed = claims.get(`${claim} ${name}`);
        const claimed = renewed && server.names.has(renewed.id) ? renewed : undefined;
        if (as !== undefined && as !== claimed?.id) {
          if (!server.names.has(as)) return refused(404, 'not-found');
          if (!proves(as)) return refused(401, 'unauthorized');
        }
        const [taken] = [...server.names].find(([, each]) => each === name) ?? [];
        if (!claimed && taken && !proves(taken)) {
          return password || recovery ? refused(401, 'unauthorized') : refused(409, 'conflict');
        }
        const user = claimed ?? { id: taken ?? mint(), name, rev: 0 };
        claims.set(`${claim} ${name}`, user);
        server.names.set(user.id, name);
        server.cookie = user;
        return json(201, session());
      }
      default:
        return new Response('not here', { status: 404 });
    }
  }

  return server;
}

const UNAVAILABLE = { code: 'unavailable', message: 'This room cannot be read.' };
