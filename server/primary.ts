/**
 * The primary process of several workers (WORKERS): listens, hands each connection to a worker, and manages the workers. It
 * reads nothing of a connection whose worker the client's address decides. Behind a proxy all have that proxy's address; then
 * the session of long polling decides. A worker that does not answer (frozen, or too busy) gets no connections until it does.
 */
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './base/env.ts';
import { EX_TEMPFAIL } from './base/exitCodes.ts';
import type { Logger } from './base/logger.ts';
import { serveMetrics } from './base/metrics.ts';
import { WORKER_ALIVE_EVERY_MS, WORKER_SILENT_MS } from './base/serverLimits.ts';
import { type Deliveries, deliverByAddress, deliverBySession } from './handOver.ts';
import { reloadTlsOnChange } from './http/tlsReload.ts';
import { cannotListen, listenOn } from './listening.ts';
import { startupLine } from './startupLine.ts';
import { DRAIN, metricsOfWorkers, offerTls, READY } from './workerMessages.ts';
import { createWorkerPool, type Worker } from './workerPool.ts';

export interface Primary {
  /**
   * Resolves when the port is open, or with an exit code where the first worker ends instead. After `stop` it opens no port.
   * Rejects with `ConfigError`.
   */
  listen(): Promise<number | undefined>;
  /** Replaces the workers one by one. */
  roll(): Promise<void>;
  /** Resolves with false if a worker had to be killed. */
  stop(): Promise<boolean>;
}

/** Starts the workers. */
export function startPrimary(config: Config, logger: Logger): Primary {
  cluster.setupPrimary({ serialization: 'advanced' }); // for buffers
  const workers = new Map<number, Forked>();
  const isBehindProxy = config.trustProxy.tag !== 'nobody';
  const readyOnes = () =>
    pool.ready().flatMap(({ id }) => {
      const one = workers.get(id);
      return !one || one.isSilent ? [] : [one.process];
    });
  const deliveries = isBehindProxy ? deliverBySession(readyOnes) : deliverByAddress(readyOnes);
  let { tls } = config;
  const tlsReload = tls && reloadTlsOnChange({ tls, apply: (pair) => (tls = { ...tls!, ...pair }), logger });
  let isDraining = false;
  let isOpen = false;
  let isStopped = false;
  const pool = createWorkerPool({
    count: config.workers,
    fork: () =>
      fork(
        workers,
        deliveries,
        () => isDraining,
        (worker) => tls && offerTls(worker, () => tls!),
      ),
    logger,
  });
  watchSilence(workers, deliveries, logger);
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: !isBehindProxy }, (socket) => {
    socket.on('error', () => {});
    if (readyOnes().length === 0) return socket.destroy(); // a client tries again; a proxy answers 502
    deliveries.hand(socket);
  });

  return {
    async listen() {
      const started = await pool.start();
      if (isStopped) return undefined;
      if (started.tag === 'ended') return started.code ?? EX_TEMPFAIL;
      const { host, port, metricsHost, metricsPort } = config;
      try {
        if (metricsPort !== undefined)
          await serveMetrics(metricsOfWorkers(readyOnes), metricsHost, metricsPort).catch((error) => {
            throw cannotListen('METRICS_', metricsHost, metricsPort, error);
          });
        if (isStopped) return undefined;
        await listenOn(server, { host, port });
      } catch (error) {
        await pool.stop();
        throw error;
      }
      if (isStopped) {
        server.close();
        return undefined;
      }
      isOpen = true;
      console.log(startupLine({ ...config, port: (server.address() as AddressInfo).port }));
      return undefined;
    },
    roll() {
      tlsReload?.reload(); // a worker that begins has the newest pair, from the files or from here
      return pool.roll();
    },
    async stop() {
      isStopped = true;
      tlsReload?.stop();
      if (isOpen && config.drainMs > 0) {
        isDraining = true; // also for workers that are ready later
        for (const { process: worker } of workers.values()) worker.send({ type: DRAIN });
        await sleep(config.drainMs);
      }
      server.close();
      return pool.stop();
    },
  };
}

interface Forked {
  process: ClusterWorker;
  isReady: boolean;
  isSilent: boolean;
  /** When it has said last that it lives, by a monotonic clock. */
  heardAt: number;
}

function fork(
  workers: Map<number, Forked>,
  deliveries: Deliveries,
  isDraining: () => boolean,
  onFork: (worker: ClusterWorker) => void,
): Worker {
  const worker = cluster.fork();
  onFork(worker);
  const one: Forked = { process: worker, isReady: false, isSilent: false, heardAt: performance.now() };
  workers.set(worker.id, one);
  worker.on('error', () => {}); // a message to one that has ended
  let isStopping = false;
  deliveries.watch(worker, () => one.isReady && !one.isSilent && !isStopping);
  const ready = new Promise<void>((resolve) =>
    worker.on('message', ({ type }: { type?: string }) => {
      one.heardAt = performance.now();
      if (type !== READY) return;
      if (isDraining()) worker.send({ type: DRAIN });
      one.isReady = true;
      resolve();
    }),
  );
  worker.on('disconnect', () => deliveries.drop(worker));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    worker.on('exit', (code: number | null, signal: string | null) => {
      workers.delete(worker.id);
      deliveries.drop(worker);
      resolve({ code, signal });
    }),
  );
  return {
    id: worker.id,
    ready,
    ended,
    kill(signal) {
      isStopping = true;
      worker.process.kill(signal);
    },
  };
}

/**
 * Each worker says every second that it lives. Where this process itself stood still, it cannot tell who is silent,
 * and begins anew.
 */
function watchSilence(workers: Map<number, Forked>, deliveries: Deliveries, logger: Logger): void {
  let lookedAt = performance.now();
  setInterval(() => {
    const now = performance.now();
    const stoodStill = now - lookedAt > 2 * WORKER_ALIVE_EVERY_MS;
    lookedAt = now;
    for (const one of workers.values()) {
      if (!one.isReady) continue;
      if (stoodStill) one.heardAt = now;
      const isSilent = now - one.heardAt > WORKER_SILENT_MS;
      if (isSilent !== one.isSilent)
        logger.warn(
          { worker: one.process.id },
          isSilent
            ? 'a worker does not answer; it gets no connections until it does'
            : 'the worker answers again',
        );
      one.isSilent = isSilent;
      if (isSilent) deliveries.drop(one.process);
    }
  }, WORKER_ALIVE_EVERY_MS).unref();
}
