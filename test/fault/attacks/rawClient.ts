/**
 * Clients for attacks: as cheap as possible, and without the manners of a library. Engine.IO and Socket.IO packets are written
 * by hand. `from` is the local address: on Linux all of 127.0.0.0/8 is the loopback interface, so that attackers and innocents
 * have addresses of their own.
 */
import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { idFrom } from '../../../shared/mint.ts';
import { PROTOCOL, REQUIRED_FEATURE } from '../../../shared/protocol/index.ts';

export interface Person {
  id: string;
  token: string;
}

/** `auth` of a valid handshake. */
export function authOf(person: Person, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { protocol: PROTOCOL, features: [REQUIRED_FEATURE], as: person.id, token: person.token, ...more };
}

export interface Answer {
  ok: boolean;
  error?: { code: string; message?: string; retryAfter?: number };
  results?: (
    | { clientOffset: string; serverOffset: number }
    | { clientOffset: string; error: { code: string } }
  )[];
  stopped?: { code: string; retryAfter?: number };
  [more: string]: unknown;
}

/** One WebSocket of Engine.IO. It answers pings while it reads. */
export interface RawSocket {
  readonly ws: WebSocket;
  /** Sends an Engine.IO packet as it is. */
  send(packet: string | Buffer): void;
  /** Writes past `ws`. False if much is waiting to be sent, or the connection has ended. */
  sendBytes(frames: Buffer): boolean;
  /** Sends `event` without waiting. */
  emit(event: string, payload?: unknown): void;
  /** Resolves with the answer, or with undefined if the connection ends before. */
  request(event: string, payload?: unknown): Promise<Answer | undefined>;
  /** Stops reading: the peer's data stays in the kernel's buffers. */
  pause(): void;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  isOpen(): boolean;
  close(): void;
}

export interface SocketOptions {
  from?: string;
  /** Sent as CONNECT as soon as the connection is open. */
  auth?: unknown;
  /** Every Engine.IO packet, pings and answers apart. */
  onPacket?: (packet: string) => void;
  deflate?: boolean;
}

/** Resolves when Engine.IO is open, or, with `auth`, at `welcome`. Rejects if the connection is refused. */
export function openRaw(url: string, options: SocketOptions = {}): Promise<RawSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<RawSocket>();
  const closed = Promise.withResolvers<void>();
  const answers = new Map<number, (answer: Answer | undefined) => void>();
  let lastId = 0;
  const ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    ...(options.from === undefined ? {} : { localAddress: options.from }),
    perMessageDeflate: options.deflate ? { threshold: 0 } : false,
    maxPayload: 64 * 2 ** 20,
    rejectUnauthorized: false,
  });
  const send = (packet: string | Buffer) => {
    if (ws.readyState === WebSocket.OPEN) ws.send(packet, () => {});
  };
  const self: RawSocket = {
    ws,
    send,
    sendBytes(frames) {
      const tcp = (ws as unknown as { _socket?: Socket })._socket;
      if (!tcp?.writable || tcp.writableLength > 1_000_000) return false;
      tcp.write(frames);
      return true;
    },
    emit: (event, payload) => send(`42${JSON.stringify(payload === undefined ? [event] : [event, payload])}`),
    request: (event, payload) => {
      if (ws.readyState !== WebSocket.OPEN) return Promise.resolve(undefined);
      const id = ++lastId;
      const { promise: answered, resolve: answer } = Promise.withResolvers<Answer | undefined>();
      answers.set(id, answer);
      send(`42${id}${JSON.stringify(payload === undefined ? [event] : [event, payload])}`);
      return answered;
    },
    pause: () => ws.pause(),
    closed: closed.promise,
    isOpen: () => ws.readyState === WebSocket.OPEN,
    close: () => ws.terminate(),
  };
  ws.on('message', (data: Buffer) => {
    const packet = data.toString();
    if (packet === '2') return send('3');
    if (packet.startsWith('43')) {
      const bracket = packet.indexOf('[');
      const id = Number(packet.slice(2, bracket));
      const answer = answers.get(id);
      answers.delete(id);
      return answer?.((JSON.parse(packet.slice(bracket)) as [Answer])[0]);
    }
    options.onPacket?.(packet);
    if (packet.startsWith('0') && options.auth === undefined) resolve(self);
    else if (packet.startsWith('0')) send(`40${JSON.stringify(options.auth)}`);
    else if (packet.startsWith('42["welcome"')) resolve(self);
    else if (packet.startsWith('44')) reject(new Refused(packet.slice(0, 400)));
    return undefined;
  });
  ws.on('error', (error) => reject(new Refused(error.message)));
  ws.on('close', (code, reason) => {
    for (const answer of answers.values()) answer(undefined);
    answers.clear();
    reject(new Refused(`closed ${code} ${reason}`));
    closed.resolve();
  });
  opened.add(self);
  void closed.promise.then(() => opened.delete(self));
  return promise;
}

/** The connection was refused, or ended before it was open. */
export class Refused extends Error {}

/** A TCP connection. Errors only end it. */
export function openTcp(url: string, from?: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    ...(from === undefined ? {} : { localAddress: from }),
  });
  socket.on('error', () => {});
  const one = { close: () => socket.destroy() };
  opened.add(one);
  socket.on('close', () => opened.delete(one));
  return socket;
}

export interface HttpAnswer {
  /** 0: the connection ended before an answer. */
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One HTTP request on a connection of its own. Never rejects. */
export function http(
  url: string,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: unknown; raw?: string | Buffer; from?: string } = {},
): Promise<HttpAnswer> {
  const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  return new Promise((resolve) => {
    const lost = () => resolve({ status: 0, headers: {}, body: '' });
    const asked = (url.startsWith('https:') ? httpsRequest : httpRequest)(`${url}${path}`, {
      rejectUnauthorized: false,
      method,
      agent: false,
      headers: {
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}` }),
        ...options.headers,
      },
      ...(options.from === undefined ? {} : { localAddress: options.from }),
    });
    asked.on('error', lost);
    asked.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body: text }));
      answer.on('close', lost);
    });
    asked.end(body);
  });
}

/**
 * Signs up by HTTP, and as the app does it: what is not answered, and `unavailable`, which a busy machine may answer, is
 * repeated under the same claim. Rejects for every other refusal, and after ATTEMPTS.
 */
export async function signUpFrom(
  url: string,
  name: string,
  from: string,
  more: object = {},
): Promise<Person> {
  const body = { name, claim: newKey(), credential: 'token', ...more };
  for (let attempt = 1; ; attempt++) {
    const answer = await http(url, 'POST', '/api/session', { body, from });
    if (answer.status === 201) {
      const { user, token } = JSON.parse(answer.body) as { user: { id: string }; token: string };
      return { id: user.id, token };
    }
    const mayPass = answer.status === 503 || answer.status === 0;
    if (!mayPass || attempt === ATTEMPTS)
      throw new Error(`${name} was refused: ${answer.status} ${answer.body}`);
    await sleep(Number(answer.headers['retry-after'] ?? 1) * 1_000);
  }
}

const ATTEMPTS = 20;

/** A session of Engine.IO's long polling, which polls only when it is told to. */
export interface RawPolling {
  readonly sid: string;
  /** Sends packets in one POST. */
  post(...packets: string[]): Promise<HttpAnswer>;
  poll(): Promise<HttpAnswer>;
}

/** With `auth`: also connected. Rejects if it is refused. */
export async function openPolling(url: string, from: string, auth?: unknown): Promise<RawPolling> {
  const path = '/socket.io/?EIO=4&transport=polling';
  const first = await http(url, 'GET', path, { from });
  if (first.status !== 200) throw new Refused(`polling: ${first.status}`);
  const { sid } = JSON.parse(first.body.slice(1)) as { sid: string };
  const headers = { 'content-type': 'text/plain;charset=UTF-8' };
  const self: RawPolling = {
    sid,
    post: (...packets) =>
      http(url, 'POST', `${path}&sid=${sid}`, { headers, raw: packets.join(SEPARATOR), from }),
    poll: () => http(url, 'GET', `${path}&sid=${sid}`, { from }),
  };
  if (auth === undefined) return self;
  await self.post(`40${JSON.stringify(auth)}`);
  const answer = await self.poll();
  if (!answer.body.includes('40{'))
    throw new Refused(`polling: ${answer.status} ${answer.body.slice(0, 200)}`);
  return self;
}

/** Between the packets of a polling payload. */
export const SEPARATOR = '\x1e';

export function newKey(): string {
  return idFrom(randomBytes(16));
}

/** Ends everything that was opened here and is open still. */
export function closeAll(): void {
  for (const one of opened) one.close();
  opened.clear();
}

const opened = new Set<{ close(): void }>();
