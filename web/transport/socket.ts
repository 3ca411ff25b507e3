/**
 * A thin wrapper around Socket.IO: one connection at a time, each frame and answer parsed as it arrives, by the schemas of
 * the protocol. Nothing is left to the send buffer of Socket.IO: a request without a connection is answered at once with
 * `undefined`. Part of the lazy engine chunk.
 */
import * as v from 'valibot';
import {
  type Acknowledgement,
  type AnsweredName,
  answers,
  type Down,
  FailedRoom,
  type FrameName,
  frames,
  type Handshake,
  Heads,
  Refusal,
  type Request,
  Room,
  Users,
} from '../../shared/protocol/index.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';

/** The part of a `Socket` of socket.io-client that is used. */
export interface RawSocket {
  readonly connected: boolean;
  readonly io: { readonly engine: { on(event: 'packet' | 'upgrade', listener: () => void): unknown } };
  // biome-ignore lint/suspicious/noExplicitAny: payloads are parsed below
  on(event: string, listener: (payload: any) => void): unknown;
  emit(event: string, ...payload: unknown[]): unknown;
  /** What its `emit` sends is dropped where it would have to wait. */
  readonly volatile: Pick<RawSocket, 'emit'>;
  connect(): unknown;
  disconnect(): unknown;
}

export type Io = (options: Record<string, unknown>) => RawSocket;
/** Fetches socket.io-client, a chunk of its own. */
export type LoadIo = () => Promise<Io>;

export interface SocketListener {
  opened(): void;
  /** Long polling became a websocket. */
  upgraded(): void;
  refused(code: string, retryAfter: number | undefined, reason: string | undefined): void;
  failed(): void;
  closed(): void;
  /** Any bytes arrived. */
  received(): void;
  frame(frame: Down): void;
  /** An `entries` frame that this version cannot read: its entries have to be requested. */
  unreadable(room: unknown): void;
}

/** `undefined`: there is no connection or it was lost, and no answer will come. */
export type Answered<Name extends AnsweredName> = (answer: Acknowledgement<Name> | undefined) => void;

export interface Socket {
  connect(pollingFirst: boolean): void;
  teardown(): void;
  /** Calls back at most once, however late the answer is. */
  request<Name extends AnsweredName>(name: Name, payload: Request<Name>, answered: Answered<Name>): void;
  /** Sends what nobody answers, if that is possible at once. */
  say<Name extends 'typing' | 'here'>(name: Name, payload: Request<Name>): void;
}

export function createSocket(
  loadIo: LoadIo,
  handshake: () => Promise<Handshake>,
  listener: SocketListener,
): Socket {
  let current: { raw: RawSocket | undefined; pending: Set<() => void> } | undefined;

  function connect(pollingFirst: boolean) {
    teardown();
    const mine: NonNullable<typeof current> = { raw: undefined, pending: new Set() };
    current = mine;
    Promise.all([loadIo(), handshake()]).then(
      ([io, auth]) => {
        if (current === mine) mine.raw = open(io, auth, pollingFirst, () => current === mine);
      },
      (error) => {
        console.warn('the connection could not be prepared', error);
        if (current === mine) listener.failed();
      },
    );
  }

  function open(io: Io, auth: Handshake, pollingFirst: boolean, isCurrent: () => boolean): RawSocket {
    const raw = io({
      ...OPTIONS,
      transports: pollingFirst ? ['polling', 'websocket'] : ['websocket', 'polling'],
      tryAllTransports: !pollingFirst, // after polling: a websocket that is blocked hangs more often than it fails
      auth,
    });
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const on = (event: string, listen: (payload: any) => void) =>
      raw.on(event, (payload) => {
        if (isCurrent()) listen(payload);
      });
    on('connect', () => listener.opened());
    on('disconnect', () => {
      dropPending();
      listener.closed();
    });
    on('connect_error', (error: { data?: unknown }) => {
      const refused = readRefusal(error.data);
      if (refused) listener.refused(refused.code, refused.retryAfter, refused.reason);
      else listener.failed();
    });
    for (const event of FRAMES) on(event, (payload) => receive(event, payload));
    raw.connect();
    const { engine } = raw.io;
    engine.on('packet', () => {
      if (isCurrent()) listener.received();
    });
    engine.on('upgrade', () => {
      if (isCurrent()) listener.upgraded();
    });
    return raw;
  }

  function receive(event: FrameName, payload: unknown) {
    const frame = readFrame(event, payload);
    if (frame) listener.frame(frame);
    else if (event === 'entries') listener.unreadable((payload as { room?: unknown } | null)?.room);
  }

  function teardown() {
    const raw = current?.raw;
    dropPending();
    current = undefined; // its events are ignored from here on
    raw?.disconnect();
  }

  /** Socket.IO drops the callbacks of pending requests when a connection is lost. */
  function dropPending() {
    const pending = [...(current?.pending ?? [])];
    current?.pending.clear();
    for (const unanswered of pending) unanswered();
  }

  function request<Name extends AnsweredName>(name: Name, payload: Request<Name>, answered: Answered<Name>) {
    const mine = current;
    if (!mine?.raw?.connected) return answered(undefined);
    const unanswered = () => answered(undefined);
    mine.pending.add(unanswered);
    const acknowledge = (raw: unknown) => {
      if (mine.pending.delete(unanswered)) answered(readAnswer(name, raw));
    };
    mine.raw.emit(name, ...(payload === undefined ? [acknowledge] : [payload, acknowledge]));
  }

  function say<Name extends 'typing' | 'here'>(name: Name, payload: Request<Name>) {
    if (current?.raw?.connected) current.raw.volatile.emit(name, payload);
  }

  return { connect, teardown, request, say };
}

/** Reconnecting is decided by connection.ts. A websocket first; where it cannot be opened, long polling. */
const OPTIONS = {
  autoConnect: false,
  reconnection: false,
  forceNew: true,
  timeout: CONNECT_WITHIN_MS,
};

export const FRAMES = Object.keys(frames) as FrameName[];

/**
 * Undefined, with a warning in the console, where this version cannot read the frame. If only one room or one user of
 * it is unreadable, the rest is used: the room is added to `failed`, the user is left out.
 */
export function readFrame(event: FrameName, payload: unknown): Down | undefined {
  const parsed = v.safeParse(frames[event] as v.GenericSchema, readablePart(event, payload));
  if (parsed.success) return { event, payload: parsed.output } as Down;
  console.warn(`a frame \`${event}\` could not be read: ${v.summarize(parsed.issues)}`);
  return undefined;
}

function readablePart(event: FrameName, payload: unknown): unknown {
  if (!isRecord(payload)) return payload;
  switch (event) {
    case 'welcome': {
      const [rooms, bad] = split(Room, payload.rooms);
      const [failed] = split(FailedRoom, payload.failed ?? []);
      const users = readable(payload.users ?? {}, (id, user) => v.is(Users, { [id]: user }));
      return { ...payload, rooms, failed: [...failed, ...bad.flatMap(failedOf)], users };
    }
    case 'room':
      return payload.room === undefined || v.is(Room, payload.room)
        ? payload
        : { failed: failedOf(payload.room)[0] };
    case 'heads':
      return readable(payload, (room, head) => v.is(Heads, { [room]: head }));
    default:
      return payload;
  }
}

function split(schema: v.GenericSchema, list: unknown): [good: unknown[], bad: unknown[]] {
  const all = Array.isArray(list) ? list : [];
  const isGood = all.map((each) => v.is(schema, each));
  return [all.filter((_, i) => isGood[i]), all.filter((_, i) => !isGood[i])];
}

function failedOf(room: unknown): unknown[] {
  console.warn('the description of a room could not be read', room);
  return isRecord(room) ? [{ id: room.id, error: UNREADABLE }].filter((each) => v.is(FailedRoom, each)) : [];
}

function readable(record: unknown, isReadable: (key: string, value: unknown) => boolean): unknown {
  if (!isRecord(record)) return {};
  return Object.fromEntries(Object.entries(record).filter((each) => isReadable(...each)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

const UNREADABLE = {
  code: 'unreadable',
  message: "The server's description of this room could not be read.",
};

export function readAnswer<Name extends AnsweredName>(name: Name, raw: unknown): Acknowledgement<Name> {
  const parsed = v.safeParse(v.union([answers[name], Refusal]) as v.GenericSchema, raw);
  if (parsed.success) return parsed.output as Acknowledgement<Name>;
  console.warn(`an answer to \`${name}\` could not be read: ${v.summarize(parsed.issues)}`);
  return { ok: false, error: { code: 'unreadable', message: 'The answer could not be read.' } };
}

/** The `data` of a `connect_error`, if a server of ours sent it. */
export function readRefusal(data: unknown): v.InferOutput<typeof HandshakeRefusal> | undefined {
  const refusal = v.safeParse(HandshakeRefusal, data);
  return refusal.success ? refusal.output : undefined;
}

const HandshakeRefusal = v.looseObject({
  code: v.string(),
  retryAfter: v.optional(v.number()),
  reason: v.optional(v.string()),
});
