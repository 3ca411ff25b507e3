/** A small client of the protocol in Node, signed in by token. It records every frame that it receives. */
import { randomBytes } from 'node:crypto';
import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import { DIRECT } from '../../shared/directPair.ts';
import type { Entry } from '../../shared/entry.ts';
import { idFrom, LOBBY } from '../../shared/mint.ts';
import {
  type Acknowledgement,
  type AnsweredName,
  type Entries,
  type Handshake,
  type Item,
  PROTOCOL,
  REQUIRED_FEATURE,
  type Request,
  type SessionAnswer,
  type Welcome,
  type WireError,
} from '../../shared/protocol/index.ts';
import { waitFor } from './waitFor.ts';

export function newId(): string {
  return idFrom(randomBytes(16));
}

export interface SignedUp extends SessionAnswer {
  token: string;
}

/** Signs up a new user and returns the session with its token. */
export async function signUp(
  url: string,
  name: string,
  extra: Record<string, unknown> = {},
): Promise<SignedUp> {
  const answer = await post(url, '/api/session', { name, claim: newId(), credential: 'token', ...extra });
  if (answer.status !== 201) throw new Error(`signing up ${name}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as SignedUp;
}

export function post(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export interface ApiClient extends Disposable {
  readonly socket: Socket;
  readonly session: SignedUp;
  /** The `welcome` of this connection. */
  readonly welcome: Welcome;
  /** Every frame received so far, in order. */
  readonly frames: { event: string; payload: unknown }[];
  request<Name extends AnsweredName>(event: Name, payload?: Request<Name>): Promise<Acknowledgement<Name>>;
  append(...items: Item[]): Promise<Acknowledgement<'append'>>;
  /** Waits for the room: one that a page has just made reaches the server after the page has shown it. */
  joins(room: string): Promise<void>;
  /** Appends the item that makes a room, under the key `id` where no other one is given. Resolves with its result. */
  makeRoom(room: NewRoomItem): Promise<{ ok: true; serverOffset: number } | { ok: false; error: WireError }>;
  /** The entries of a room from live frames and catch-up, ascending, without duplicates. */
  heard(room: string): Entry[];
  /** Resolves when a text with this body was received in the room. */
  hears(body: string, room?: string): Promise<Entry>;
  close(): void;
}

type ConnectOptions = Partial<Handshake> & {
  transports?: ('websocket' | 'polling')[];
  /** How it connects beyond that. */
  manager?: Partial<ManagerOptions>;
};

/** Resolves after `welcome`. Rejects with the `connect_error`, whose `data` is the refusal. */
export async function connectClient(
  url: string,
  session: SignedUp,
  { transports = ['websocket'], manager, ...handshake }: ConnectOptions = {},
): Promise<ApiClient> {
  const socket = io(url, {
    transports,
    ...manager,
    reconnection: false,
    forceNew: true,
    auth: { protocol: PROTOCOL, features: [REQUIRED_FEATURE, DIRECT], token: session.token, ...handshake },
  });
  const frames: ApiClient['frames'] = [];
  socket.onAny((event: string, payload: unknown) => frames.push({ event, payload }));
  const welcome = await new Promise<Welcome>((resolve, reject) => {
    socket.once('welcome', resolve);
    socket.once('connect_error', (error) => {
      socket.close();
      reject(Object.assign(error, { name: 'ConnectRefused' }));
    });
  });
  const request: ApiClient['request'] = (event, payload) =>
    socket.timeout(10_000).emitWithAck(event, payload);
  const heard = (room: string) => entriesIn(frames, room);
  const close = () => void socket.close();
  const append: ApiClient['append'] = (...items) => request('append', { as: session.user.id, items });
  return {
    socket,
    session,
    welcome,
    frames,
    request,
    append,
    async joins(room) {
      const answer = await waitFor(`${session.user.name} joins ${room}`, async () => {
        const answered = await request('room:join', { room, clientOffset: newId() });
        return !answered.ok && answered.error.code === 'not-found' ? undefined : answered;
      });
      if (!answer.ok) throw new Error(`${session.user.name} cannot join ${room}: ${answer.error.message}`);
    },
    makeRoom: async (room) => resultOf(await append(creation(room))),
    heard,
    hears: (body, room = LOBBY) =>
      waitFor(`${session.user.name} hears “${body}”`, () =>
        heard(room).find((entry) => bodyOf(entry) === body),
      ),
    close,
    [Symbol.dispose]: close,
  };
}

interface NewRoomItem {
  id: string;
  kind: string;
  name: string;
  clientOffset?: string;
  announcements?: boolean;
}

/** The item that makes a room. */
export function creation({ id, kind: roomKind, clientOffset = id, ...rest }: NewRoomItem): Item {
  return { kind: 'create', room: id, clientOffset, roomKind, ...rest };
}

/** What an append of one item says about it. */
function resultOf(answer: Acknowledgement<'append'>) {
  if (!answer.ok) return answer;
  const [result] = answer.results;
  if (!result) return { ok: false as const, error: answer.stopped! };
  if ('error' in result) return { ok: false as const, error: result.error };
  return { ok: true as const, serverOffset: result.serverOffset };
}

/** A text item; by default in the lobby and with a new key. */
export function text(body: string, room: string = LOBBY, clientOffset: string = newId()): Item {
  return { kind: 'text', room, clientOffset, body };
}

export function bodyOf(entry: Entry): string | undefined {
  return 'body' in entry && typeof entry.body === 'string' ? entry.body : undefined;
}

/** Reads the whole log of a room over HTTP, page by page. */
export async function wholeLog(url: string, session: SignedUp, room: string = LOBBY): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const from = entries.length + 1;
    const answer = await fetch(`${url}/api/rooms/${room}/entries?from=${from}&to=${from + 199}`, {
      headers: { authorization: `Bearer ${session.token}` },
    });
    const page = (await answer.json()) as { ok: boolean; entries: Entry[]; head: number };
    if (!page.ok) throw new Error(`range of ${room}: ${JSON.stringify(page)}`);
    entries.push(...page.entries);
    if (page.entries.length === 0 || entries.length >= page.head) return entries;
  }
}

function entriesIn(frames: ApiClient['frames'], room: string): Entry[] {
  const byOffset = new Map<number, Entry>();
  for (const { event, payload } of frames) {
    if (event !== 'entries' || (payload as Entries).room !== room) continue;
    for (const entry of (payload as Entries).entries) byOffset.set(entry.serverOffset, entry);
  }
  return [...byOffset.values()].sort((a, b) => a.serverOffset - b.serverOffset);
}
