/** The thin shell around Socket.IO: one connection at a time, frames parsed at the edge, nothing left to its buffer. */
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import type {
  Acknowledgement,
  AnsweredName,
  Down,
  FrameName,
  Handshake,
  Request,
} from '../../shared/protocol/index.ts';
import { FRAMES, readAnswer, readFrame, readRefused } from './wire.ts';

/** What is used of a `Socket` of socket.io-client. */
export interface RawSocket {
  readonly connected: boolean;
  readonly io: { readonly engine: { on(event: 'packet' | 'upgrade', listener: () => void): unknown } };
  // biome-ignore lint/suspicious/noExplicitAny: what comes is parsed below
  on(event: string, listener: (payload: any) => void): unknown;
  emit(event: string, ...payload: unknown[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

export type Io = (options: Record<string, unknown>) => RawSocket;
/** Fetches socket.io-client, a chunk of its own. */
export type LoadIo = () => Promise<Io>;

export interface SocketListener {
  opened(): void;
  /** It began by long polling and is a websocket now. */
  upgraded(): void;
  refused(code: string, retryAfter: number | undefined): void;
  failed(): void;
  closed(): void;
  /** Any byte at all. */
  heard(): void;
  frame(frame: Down): void;
  /** An `entries` frame that this version cannot read: what is in it has to be asked for. */
  unreadable(room: unknown): void;
}

/** `undefined`: the connection is not there or went, and no answer will come. */
export type Answered<Name extends AnsweredName> = (answer: Acknowledgement<Name> | undefined) => void;

export interface Socket {
  connect(pollingFirst: boolean): void;
  teardown(): void;
  /** Calls back at most once, however late. */
  request<Name extends AnsweredName>(name: Name, payload: Request<Name>, answered: Answered<Name>): void;
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
        console.warn('there is nothing to connect with', error);
        if (current === mine) listener.failed();
      },
    );
  }

  function open(io: Io, auth: Handshake, pollingFirst: boolean, isCurrent: () => boolean): RawSocket {
    const raw = io({
      ...OPTIONS,
      transports: pollingFirst ? ['polling', 'websocket'] : ['websocket', 'polling'],
      tryAllTransports: !pollingFirst, // where it goes first, a websocket is more likely to hang than to be let through
      auth,
    });
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const on = (event: string, heard: (payload: any) => void) =>
      raw.on(event, (payload) => {
        if (isCurrent()) heard(payload);
      });
    on('connect', () => listener.opened());
    on('disconnect', () => {
      lose();
      listener.closed();
    });
    on('connect_error', (error: { data?: unknown }) => {
      const refused = readRefused(error.data);
      if (refused) listener.refused(refused.code, refused.retryAfter);
      else listener.failed();
    });
    for (const event of FRAMES) on(event, (payload) => receive(event, payload));
    raw.connect();
    const { engine } = raw.io;
    engine.on('packet', () => {
      if (isCurrent()) listener.heard();
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
    lose();
    current = undefined; // from here on nothing it says is heard
    raw?.disconnect();
  }

  /** Socket.IO forgets the callbacks of what was under way when a connection goes. */
  function lose() {
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

  return { connect, teardown, request };
}

/** Reconnecting is ours (connection.ts). A websocket first; where one cannot be opened, long polling. */
const OPTIONS = {
  autoConnect: false,
  reconnection: false,
  forceNew: true,
  timeout: CONNECT_WITHIN_MS,
};
