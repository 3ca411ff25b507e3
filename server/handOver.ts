/**
 * How the primary hands connections to its workers. A connection that is on its way to a worker which ends, or does not
 * answer, is closed, so that its client notices at once and not by its heartbeat.
 */
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { Socket } from 'node:net';
import { setupMaster } from '@socket.io/sticky';
import { FIRST_BYTE_WITHIN_MS, SESSION_KNOWN_WITHIN_MS, STRANGERS } from './base/serverLimits.ts';
import { addressKey } from './limits/addressKey.ts';
import { createStrangers } from './limits/strangers.ts';
import { CONNECTION } from './workerMessages.ts';

/** The connections of one worker that this process still has. */
export interface Deliveries {
  /** For each new worker, before it is given any. `isChosen`: false while it gets no new sessions. */
  watch(worker: ClusterWorker, isChosen: () => boolean): void;
  /** Closes what the worker may never get. */
  drop(worker: ClusterWorker): void;
  hand(socket: Socket): void;
}

/** Hands a connection to the worker that the client's address chooses, before anything of it is read. */
export function deliverByAddress(ready: () => ClusterWorker[]): Deliveries {
  const underWay = createUnderWay();
  return {
    watch: underWay.watch,
    drop: underWay.drop,
    hand(socket) {
      const address = addressKey(socket.remoteAddress ?? '');
      const [chosen] = ready()
        .map((worker) => ({ worker, weight: weightOf(worker.id, address) }))
        .sort((a, b) => b.weight - a.weight);
      if (!chosen) return void socket.destroy();
      const { worker } = chosen;
      underWay.add(worker, socket);
      worker.send({ type: CONNECTION }, socket, (error) => {
        underWay.sent(worker, socket);
        if (error) socket.destroy();
      });
    },
  };
}

/** Rendezvous hashing: when a worker comes or goes, few addresses move. */
function weightOf(worker: number, address: string): number {
  return createHash('sha1').update(`${worker} ${address}`).digest().readUInt32BE();
}

/**
 * By @socket.io/sticky, which reads the beginning of a request to find the worker that has its session of long polling.
 * Until a connection has sent its first bytes it stays here, so here it is bounded.
 */
export function deliverBySession(ready: () => ClusterWorker[]): Deliveries {
  const connections = new EventEmitter();
  setupMaster(connections as unknown as HttpServer, { loadBalancingMethod: 'least-connection' });
  const sessions = knownSessions();
  const underWay = createUnderWay();
  const byName = new Map<string, Socket>();
  const strangers = createStrangers<Socket>({
    ofAddress: Number.POSITIVE_INFINITY,
    inAll: STRANGERS,
    evict: (socket) => socket.destroy(),
  });
  return {
    watch(worker, isChosen) {
      underWay.watch(worker);
      countSessions(worker, isChosen);
      noteSends(worker, {
        onConnection: (socket) => underWay.add(worker, socket),
        onSent: (socket) => underWay.sent(worker, socket),
        onUpload({ remoteAddress, remotePort }) {
          const socket = byName.get(`${remoteAddress} ${remotePort}`);
          if (!socket) return;
          underWay.add(worker, socket);
          socket.once('close', () => underWay.remove(worker, socket));
        },
      });
    },
    drop: underWay.drop,
    hand(socket) {
      const name = `${socket.remoteAddress} ${socket.remotePort}`;
      byName.set(name, socket);
      const timer = setTimeout(() => socket.destroy(), FIRST_BYTE_WITHIN_MS);
      const settle = () => {
        clearTimeout(timer);
        strangers.remove('', socket);
      };
      const give = (chunk: Buffer) => {
        settle();
        if (ready().length === 0) return void socket.destroy();
        connections.emit('connection', socket);
        socket.emit('data', chunk);
        if (!isHandedOver(chunk)) socket.resume();
      };
      strangers.add('', socket);
      socket.once('data', (chunk: Buffer) => {
        socket.pause();
        if (isHandedOver(chunk)) stopReading(socket);
        const session = sessionIn(chunk);
        if (session === undefined || sessions.isKnown(session)) return give(chunk);
        void sessions.becomesKnown(session).then(() => socket.destroyed || give(chunk));
      });
      socket.once('close', () => {
        settle();
        if (byName.get(name) === socket) byName.delete(name);
      });
    },
  };
}

interface KnownSessions {
  isKnown(session: string): boolean;
  /** Resolves when it is known, at the latest after SESSION_KNOWN_WITHIN_MS. */
  becomesKnown(session: string): Promise<void>;
}

/**
 * The sessions of Engine.IO that workers have told of. A worker answers a handshake and tells of its session at the same time,
 * in two ways, and the client's next request may be here first. @socket.io/sticky would give that to any worker, which answers
 * "Session ID unknown": so some in a thousand handshakes by long polling failed.
 */
function knownSessions(): KnownSessions {
  const workerOf = new Map<string, number>();
  const heard = new EventEmitter().setMaxListeners(0);
  // after the listener of @socket.io/sticky, which then knows the session, too
  cluster.on('message', ({ id }, { type, data }: { type?: string; data?: string }) => {
    if (data === undefined) return;
    if (type === 'sticky:disconnection') workerOf.delete(data);
    if (type !== 'sticky:connection') return;
    workerOf.set(data, id);
    heard.emit(data);
  });
  cluster.on('exit', ({ id }) => {
    for (const [session, worker] of workerOf) if (worker === id) workerOf.delete(session);
  });
  return {
    isKnown: (session) => workerOf.has(session),
    becomesKnown: (session) =>
      new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer);
          heard.off(session, finish);
          resolve();
        };
        const timer = setTimeout(finish, SESSION_KNOWN_WITHIN_MS);
        heard.once(session, finish);
      }),
  };
}

/**
 * The session of a request of long polling, or of the upgrade to a websocket: it is in the URL. Other lines are not read: a
 * cookie of another program may look the same.
 */
export function sessionIn(chunk: Buffer): string | undefined {
  const [, query] = chunk.subarray(0, chunk.indexOf('\r\n')).toString('latin1').split(' ', 2);
  return /[?&]sid=([\w-]{20})(?=&|$)/.exec(query ?? '')?.[1];
}

interface Route {
  /** Connections that wait to be sent, and those that are passed on in pieces. */
  waiting: Map<Socket, Handle | null>;
  /** What was sent last. Node sends the next one when the worker has confirmed this one, and closes nothing when it dies. */
  sent: Handle | null;
}

/** Of a socket in Node: internal. `fd` is negative when it is closed. */
type Handle = object & { readonly fd: number; readStop(): void };

const handleOf = (socket: Socket): Handle | null =>
  (socket as Socket & { _handle?: Handle | null })._handle ?? null;

/** The connections of each worker that this process still has. */
function createUnderWay() {
  const routes = new Map<number, Route>();
  return {
    watch: ({ id }: ClusterWorker) => void routes.set(id, { waiting: new Map(), sent: null }),
    add: ({ id }: ClusterWorker, socket: Socket) =>
      void routes.get(id)?.waiting.set(socket, handleOf(socket)),
    remove: ({ id }: ClusterWorker, socket: Socket) => void routes.get(id)?.waiting.delete(socket),
    sent({ id }: ClusterWorker, socket: Socket) {
      const route = routes.get(id);
      if (!route) return;
      route.sent = route.waiting.get(socket) ?? null;
      route.waiting.delete(socket);
    },
    drop(worker: ClusterWorker) {
      const route = routes.get(worker.id);
      if (!route) return;
      for (const socket of route.waiting.keys()) socket.destroy();
      route.waiting.clear();
      if (route.sent) hangUp(route.sent);
      route.sent = null;
      if (worker.isDead()) routes.delete(worker.id);
    },
  };
}

/** Ends the connection itself: a worker that stands still may have another descriptor of it. */
function hangUp(handle: Handle): void {
  if (handle.fd < 0) return;
  const socket = new Socket({ handle, allowHalfOpen: true } as object);
  socket.on('error', () => {});
  socket.end(() => socket.destroy());
}

/**
 * @socket.io/sticky gives a new session to the worker with the smallest `clientsCount`, which it counts itself. One that
 * starts, stops or does not answer gets none, but requests of the sessions that it has; afterwards its count is right.
 */
function countSessions(worker: ClusterWorker, isChosen: () => boolean): void {
  let sessions = 0;
  worker.on('message', ({ type }: { type?: string }) => {
    if (type === 'sticky:connection') sessions++;
    if (type === 'sticky:disconnection') sessions--;
  });
  Object.defineProperty(worker, 'clientsCount', {
    get: () => (isChosen() ? sessions : Number.POSITIVE_INFINITY),
    set() {},
  });
}

interface StickyMessage {
  type?: string;
  socketInfo?: Pick<Socket, 'remoteAddress' | 'remotePort'>;
}
type Sent = (error: Error | null) => void;

/** What @socket.io/sticky sends to a worker: a connection, or the beginning of a request whose body may follow. */
function noteSends(
  worker: ClusterWorker,
  on: {
    onConnection(socket: Socket): void;
    onSent(socket: Socket): void;
    onUpload(info: Pick<Socket, 'remoteAddress' | 'remotePort'>): void;
  },
): void {
  const send = worker.send.bind(worker) as (message: StickyMessage, ...rest: unknown[]) => boolean;
  const noting = (message: StickyMessage, ...rest: unknown[]): boolean => {
    if (message.type === 'sticky:http-chunk-start' && message.socketInfo) on.onUpload(message.socketInfo);
    if (message.type !== 'sticky:connection') return send(message, ...rest);
    const [socket, sent] = rest as [Socket, Sent];
    on.onConnection(socket);
    return send(message, socket, (error: Error | null) => {
      on.onSent(socket);
      sent(error);
    });
  };
  worker.send = noting as ClusterWorker['send'];
}

/** @socket.io/sticky keeps the connection where a body may follow, and passes on what comes; else it hands it over. */
function isHandedOver(chunk: Buffer): boolean {
  const headers = chunk.subarray(0, chunk.indexOf('\r\n\r\n')).toString('latin1').toLowerCase();
  return !headers.includes('content-length:') && !headers.includes('transfer-encoding:');
}

/**
 * Node reads on, and drops what it reads, until the worker has confirmed that it has the connection. The worker may have
 * answered before that, and the next bytes of the client would be lost: one of 300 WebSockets never got its `welcome`.
 * `pause` does not stop that, so this uses the handle, which is internal.
 */
function stopReading(socket: Socket): void {
  handleOf(socket)?.readStop();
}
