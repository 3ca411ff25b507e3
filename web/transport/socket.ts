/**
 * A thin wrapper around Socket.IO: one connection at a time, each frame parsed as it arrives. Nothing is left to the
 * send buffer of Socket.IO: a request without a connection is answered at once with `undefined`.
 */

import type {
  Acknowledgement,
  AnsweredName,
  Down,
  FrameName,
  Handshake,
  Request,
} from '../../shared/protocol/index.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import { FRAMES, readAnswer, readFrame, readRefusal } from './wire.ts';

/** The part of a `Socket` of socket.io-client that is used. */
export interface RawSocket {
  readonly connected: boolean;
  readonly io: { readonly engine: { on(event: 'packet' | 'upgrade', listener: () => void): unknown } };
  // biome-ignore lint/suspicious/noExplicitAny: payloads are parsed below
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
  /** Long polling became a websocket. */
  upgraded(): void;
  refused(code: string, retryAfter: number | undefined): void;
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
      if (refused) listener.refused(refused.code, refused.retryAfter);
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

  return { connect, teardown, request };
}

/** Reconnecting is decided by connection.ts. A websocket first; where it cannot be opened, long polling. */
const OPTIONS = {
  autoConnect: false,
  reconnection: false,
  forceNew: true,
  timeout: CONNECT_WITHIN_MS,
};
