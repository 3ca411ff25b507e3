/** What primary and workers send each other, beside @socket.io/sticky. */
import type { Worker as ClusterWorker } from 'node:cluster';
import type { Socket } from 'node:net';
import { setupWorker } from '@socket.io/sticky';
import { AggregatorRegistry, Gauge, Registry } from 'prom-client';
import type { ConnectionSource } from './app.ts';
import type { Tls } from './base/env.ts';
import { measureProcess } from './base/metrics.ts';
import {
  METRICS_OF_WORKER_MS,
  TLS_OF_PRIMARY_WITHIN_MS,
  WORKER_ALIVE_EVERY_MS,
} from './base/serverLimits.ts';

/** A worker can handle connections. */
export const READY = 'holdfast:ready';
/** With a socket: its worker reads it from the beginning. */
export const CONNECTION = 'holdfast:connection';
/** The worker answers `/readyz` with 503 from now on. */
export const DRAIN = 'holdfast:drain';
const METRICS = 'holdfast:metrics';
/** A worker asks for the certificate that is in use; the primary answers with it and its key. */
const TLS = 'holdfast:tls';
/** A worker says every WORKER_ALIVE_EVERY_MS that its event loop turns. */
const ALIVE = 'holdfast:alive';

type Metric = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;
type Message = { type?: string; id?: number; metrics?: Metric };

/** In a worker: how its server gets connections. `isBehindProxy`: by @socket.io/sticky. */
export function connectionsOfPrimary(isBehindProxy: boolean): ConnectionSource {
  return {
    hasFirstByte: isBehindProxy,
    open({ http, io, registry, drain }) {
      if (isBehindProxy) setupWorker(io);
      process.on('message', (message: Message, socket?: Socket) => {
        if (message.type === CONNECTION && socket) {
          socket.allowHalfOpen = true; // as in a server of HTTP
          http.emit('connection', socket);
        }
        if (message.type === DRAIN) drain();
        if (message.type === METRICS)
          void registry
            .getMetricsAsJSON()
            .then((metrics) => process.send?.({ type: METRICS, id: message.id, metrics }));
      });
      process.send?.({ type: READY });
      setInterval(() => process.send?.({ type: ALIVE }), WORKER_ALIVE_EVERY_MS).unref();
    },
  };
}

type Pair = Pick<Tls, 'cert' | 'key'>;

/** In the primary, for each new worker: answers a worker that cannot use the files of the certificate. */
export function offerTls(worker: ClusterWorker, inUse: () => Pair): void {
  worker.on('message', ({ type }: Message) => {
    if (type !== TLS) return;
    const { cert, key } = inUse();
    worker.send({ type: TLS, cert, key });
  });
}

/** In a worker that starts: what the primary has loaded. Undefined where it does not answer. */
export function tlsOfPrimary(): Promise<Pair | undefined> {
  return new Promise((resolve) => {
    const finish = (pair?: Pair) => {
      clearTimeout(timer);
      process.off('message', hear);
      resolve(pair);
    };
    const hear = ({ type, cert, key }: { type?: string; cert?: Uint8Array; key?: Uint8Array }) => {
      if (type === TLS && cert && key) finish({ cert: Buffer.from(cert), key: Buffer.from(key) });
    };
    const timer = setTimeout(finish, TLS_OF_PRIMARY_WITHIN_MS);
    process.on('message', hear);
    process.send?.({ type: TLS });
  });
}

/**
 * In the primary: the metrics of all workers and of its own process, as one. Counters and most gauges are summed up. Counters of
 * workers that have ended, do not answer in time, or are not ready at the moment stay in the sum as they were last: Prometheus
 * takes a counter that falls for a restart of everything, and would count all of it again. Gauges are those of the workers that
 * answer.
 */
export function metricsOfWorkers(ready: () => ClusterWorker[]): Pick<Registry, 'metrics' | 'contentType'> {
  const own = new Registry();
  measureProcess(own); // it accepts all connections, and may run out of descriptors, too
  const count = new Gauge({ registers: [own], name: 'holdfast_workers', help: 'Workers that are ready' });
  let lastId = 0;
  /** By worker, until it ends: what it answered last. */
  const counters = new Map<number, Metric>();
  let ofEnded: Metric = [];
  const notYetAdded = new Set<Metric>();
  let adding: Promise<void> = Promise.resolve();

  function watch(worker: ClusterWorker): void {
    if (counters.has(worker.id)) return;
    counters.set(worker.id, []);
    worker.once('exit', () => {
      const last = counters.get(worker.id)!;
      counters.delete(worker.id);
      notYetAdded.add(last);
      adding = adding.then(async () => {
        const sum = await AggregatorRegistry.aggregate([ofEnded, last] as object[]).getMetricsAsJSON();
        ofEnded = sum;
        notYetAdded.delete(last);
      });
    });
  }

  /** Its gauges. Its counters are remembered, unless it has ended: then they are among those of the ended. */
  async function ask(worker: ClusterWorker, id: number): Promise<Metric> {
    watch(worker);
    const metrics = (await metricsOf(worker, id)) ?? [];
    if (metrics.length > 0 && counters.has(worker.id)) counters.set(worker.id, metrics.filter(isCounter));
    return metrics.filter((metric) => !isCounter(metric));
  }

  return {
    contentType: own.contentType,
    async metrics() {
      const workers = ready();
      count.set(workers.length);
      const id = ++lastId;
      const gauges = await Promise.all(workers.map((worker) => ask(worker, id)));
      const all = [...gauges, await own.getMetricsAsJSON()];
      all.push(...counters.values(), ofEnded, ...notYetAdded); // in one turn: each worker is in one of them
      return AggregatorRegistry.aggregate(all as object[]).metrics();
    },
  };
}

function isCounter({ type }: Metric[number]): boolean {
  const name = String(type); // the type says that it is a number
  return name === 'counter' || name === 'histogram';
}

/** Undefined where it does not answer. */
function metricsOf(worker: ClusterWorker, id: number): Promise<Metric | undefined> {
  return new Promise((resolve) => {
    const finish = (metrics?: Metric) => {
      clearTimeout(timer);
      worker.off('message', hear);
      resolve(metrics);
    };
    const hear = (message: Message) => {
      if (message.type === METRICS && message.id === id) finish(message.metrics);
    };
    const timer = setTimeout(finish, METRICS_OF_WORKER_MS);
    worker.on('message', hear);
    worker.send({ type: METRICS, id }, (error) => error && finish());
  });
}
