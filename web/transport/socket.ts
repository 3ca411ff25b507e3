/** The thin shell around Socket.IO: one connection at a time, frames parsed at the edge, nothing left to its buffer. */
import * as v from 'valibot';
import { CONNECT_WITHIN_MS } from '../../shared/limits.ts';
import {
  type Acknowledgement,
  type AnsweredName,
  answers,
  type Down,
  type FrameName,
  frames,
  type Handshake,
  Refusal,
  type Request,
} from '../../shared/protocol/index.ts';

/** What is used of a `Socket` of socket.io-client. */
export interface RawSocket {
  readonly connected: boolean;
  readonly io: { readonly engine: { on(event: 'packet', listener: () => void): unknown } };
  // biome-ignore lint/suspicious/noExplicitAny: what comes is parsed below
  on(event: string, listener: (payload: any) => void): unknown;
  emit(event: string, ...payload: unknown[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

export type Io = (options: Record<string, unknown>) => RawSocket;
/** The first paint needs no network, so what speaks to it is loaded beside it. */
export type LoadIo = () => Promise<Io>;

export interface SocketListener {
  opened(): void;
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
      const refusal = v.safeParse(
        v.looseObject({ code: v.string(), retryAfter: v.optional(v.number()) }),
        error.data,
      );
      if (refusal.success) listener.refused(refusal.output.code, refusal.output.retryAfter);
      else listener.failed();
    });
    for (const event of Object.keys(frames) as FrameName[]) on(event, (payload) => receive(event, payload));
    raw.connect();
    raw.io.engine.on('packet', () => {
      if (isCurrent()) listener.heard();
    });
    return raw;
  }

  function receive(event: FrameName, payload: unknown) {
    const parsed = v.safeParse(frames[event] as v.GenericSchema, payload);
    if (parsed.success) return listener.frame({ event, payload: parsed.output } as Down);
    console.warn(`a frame \`${event}\` could not be read: ${v.summarize(parsed.issues)}`);
    if (event === 'entries') listener.unreadable((payload as { room?: unknown } | null)?.room);
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

function readAnswer<Name extends AnsweredName>(name: Name, raw: unknown): Acknowledgement<Name> {
  const parsed = v.safeParse(v.union([answers[name], Refusal]) as v.GenericSchema, raw);
  if (parsed.success) return parsed.output as Acknowledgement<Name>;
  console.warn(`an answer to \`${name}\` could not be read: ${v.summarize(parsed.issues)}`);
  return { ok: false, error: { code: 'unreadable', message: 'The answer could not be read.' } };
}

/** Reconnecting is ours (connection.ts). A websocket first; where one cannot be opened, long polling. */
const OPTIONS = {
  autoConnect: false,
  reconnection: false,
  forceNew: true,
  tryAllTransports: true,
  timeout: CONNECT_WITHIN_MS,
};
