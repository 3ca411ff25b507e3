/**
 * The primary process of several workers (WORKERS): listens, hands each connection to a worker, and manages the workers. It
 * reads nothing of a connection whose worker the client's address decides. Behind a proxy all have that proxy's address; then
 * @socket.io/sticky reads the beginning of a request, to find the worker that has its session of long polling.
 */
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setupMaster } from '@socket.io/sticky';
import type { Config } from './base/env.ts';
import { EX_TEMPFAIL } from './base/exitCodes.ts';
import type { Logger } from './base/logger.ts';
import { serveMetrics } from './base/metrics.ts';
import { FIRST_BYTE_WITHIN_MS, STRANGERS } from './base/serverLimits.ts';
import { addressKey } from './limits/addressKey.ts';
import { createStrangers } from './limits/strangers.ts';
import { cannotListen, LISTEN_BACKLOG } from './listening.ts';
import { startupLine } from './startupLine.ts';
import { CONNECTION, metricsOfWorkers, READY } from './workerMessages.ts';
import { createWorkerPool, type Worker } from './workerPool.ts';

export interface Primary {
  /** Resolves when the port is open, or with an exit code where the first worker ends instead. Rejects with `ConfigError`. */
  listen(): Promise<number | undefined>;
  /** Replaces the workers one by one. */
  roll(): Promise<void>;
  /** Resolves with false if a worker had to be killed. */
  stop(): Promise<boolean>;
}

/** Starts the workers. */
export function startPrimary(config: Config, logger: Logger): Primary {
  cluster.setupPrimary({ serialization: 'advanced' }); // for buffers
  const workers = new Map<number, ClusterWorker>();
  const pool = createWorkerPool({ count: config.workers, fork: () => forked(workers), logger });
  const readyOnes = () => pool.ready().map(({ id }) => workers.get(id)!);
  const isBehindProxy = config.trustProxy.tag !== 'nobody';
  const hand = isBehindProxy ? handBySession(readyOnes) : handByAddress(readyOnes);
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: !isBehindProxy }, (socket) => {
    socket.on('error', () => {});
    if (readyOnes().length === 0) return socket.destroy(); // a client tries again; a proxy answers 502
    hand(socket);
  });

  return {
    async listen() {
      const started = await pool.start();
      if (started.tag === 'ended') return started.code ?? EX_TEMPFAIL;
      const { host, port, metricsHost, metricsPort } = config;
      try {
        if (metricsPort !== undefined)
          await serveMetrics(metricsOfWorkers(readyOnes), metricsHost, metricsPort).catch((error) => {
            throw cannotListen('METRICS_', metricsHost, metricsPort, error);
          });
        await new Promise<void>((resolve, reject) => {
          server.once('error', (error) => reject(cannotListen('', host, port, error)));
          server.listen({ port, host, backlog: LISTEN_BACKLOG }, resolve);
        });
      } catch (error) {
        await pool.stop();
        throw error;
      }
      console.log(startupLine({ ...config, port: (server.address() as AddressInfo).port }));
      return undefined;
    },
    roll: pool.roll,
    stop() {
      server.close();
      return pool.stop();
    },
  };
}

function forked(workers: Map<number, ClusterWorker>): Worker {
  const worker = cluster.fork();
  workers.set(worker.id, worker);
  worker.on('error', () => {}); // a message to one that has ended
  Object.assign(worker, { clientsCount: NEVER_CHOSEN });
  const ready = new Promise<void>((resolve) =>
    worker.on('message', (message: { type?: string }) => {
      if (message.type !== READY) return;
      Object.assign(worker, { clientsCount: 0 });
      resolve();
    }),
  );
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    worker.on('exit', (code: number | null, signal: string | null) => {
      workers.delete(worker.id);
      resolve({ code, signal });
    }),
  );
  return {
    id: worker.id,
    ready,
    ended,
    kill(signal) {
      Object.assign(worker, { clientsCount: NEVER_CHOSEN });
      worker.process.kill(signal);
    },
  };
}

/**
 * The number of clients by which @socket.io/sticky chooses the worker of a new session. One that starts or stops gets none,
 * but requests of the sessions that it has.
 */
const NEVER_CHOSEN = Number.POSITIVE_INFINITY;

type Hand = (socket: Socket) => void;

/** The same address goes to the same worker as long as that one is ready; when another comes or goes, few addresses move. */
function handByAddress(ready: () => ClusterWorker[]): Hand {
  return (socket) => {
    const address = addressKey(socket.remoteAddress ?? '');
    const [chosen] = ready()
      .map((worker) => ({ worker, weight: weightOf(worker.id, address) }))
      .sort((a, b) => b.weight - a.weight);
    chosen?.worker.send({ type: CONNECTION }, socket, (error) => {
      if (error) socket.destroy();
    });
  };
}

/** Rendezvous hashing. */
function weightOf(worker: number, address: string): number {
  return createHash('sha1').update(`${worker} ${address}`).digest().readUInt32BE();
}

/** Until a connection has sent its first bytes it stays here, so here it is bounded. */
function handBySession(ready: () => ClusterWorker[]): Hand {
  const connections = new EventEmitter();
  setupMaster(connections as unknown as HttpServer, { loadBalancingMethod: 'least-connection' });
  const strangers = createStrangers<Socket>({
    ofAddress: Number.POSITIVE_INFINITY,
    inAll: STRANGERS,
    evict: (socket) => socket.destroy(),
  });
  return (socket) => {
    const timer = setTimeout(() => socket.destroy(), FIRST_BYTE_WITHIN_MS);
    const settle = () => {
      clearTimeout(timer);
      strangers.remove('', socket);
    };
    strangers.add('', socket);
    connections.emit('connection', socket);
    socket.prependOnceListener('data', (chunk: Buffer) => {
      settle();
      if (isHandedOver(chunk)) stopReading(socket);
      if (ready().length === 0) socket.destroy();
    });
    socket.once('close', settle);
  };
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
  (socket as Socket & { _handle?: { readStop(): void } | null })._handle?.readStop();
}
