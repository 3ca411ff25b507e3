/** The Prometheus metrics, and the server on its own port that exposes them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** The calls that wait for the store, by queue: how many, and how long the first one has waited. */
type StoreQueues = Readonly<Record<string, { waiting: number; oldestMs: number }>>;

/** All names begin with `holdfast_`. Times are in seconds, by Prometheus convention. */
export function createMetrics(storeQueues: () => StoreQueues = () => ({})) {
  const registry = new Registry();
  const registers = [registry];
  // memory, processor, event-loop delay, garbage collection, open files
  collectDefaultMetrics({ register: registry, prefix: 'holdfast_' });
  return {
    registry,
    connections: new Gauge({
      registers,
      name: 'holdfast_connections',
      help: 'Sockets connected at the moment',
    }),
    frames: new Counter({
      registers,
      name: 'holdfast_frames_total',
      help: 'Requests received, by event',
      labelNames: ['event'],
    }),
    refusals: new Counter({
      registers,
      name: 'holdfast_refusals_total',
      help: 'Requests refused, by event and error code',
      labelNames: ['event', 'code'],
    }),
    connectionRefusals: new Counter({
      registers,
      name: 'holdfast_connection_refusals_total',
      help: 'Handshakes refused, by error code',
      labelNames: ['code'],
    }),
    limitHits: new Counter({
      registers,
      name: 'holdfast_limit_hits_total',
      help: 'Requests and connections above a limit, by limit',
      labelNames: ['limit'],
    }),
    evictedClients: new Counter({
      registers,
      name: 'holdfast_evicted_clients_total',
      help: 'Connections that the server closed to bound its memory or work, by reason',
      labelNames: ['reason'],
    }),
    unsentBytes: new Gauge({
      registers,
      name: 'holdfast_unsent_bytes',
      help: 'Bytes that wait in the server to be sent, over all connections',
    }),
    storeQueue: new Gauge({
      registers,
      name: 'holdfast_store_queue',
      help: 'Calls that wait for the store, by lane',
      labelNames: ['lane'],
      collect() {
        for (const [lane, { waiting }] of Object.entries(storeQueues())) this.set({ lane }, waiting);
      },
    }),
    storeQueueAgeSeconds: new Gauge({
      registers,
      name: 'holdfast_store_queue_age_seconds',
      help: 'How long the first waiting call of the store has waited, by lane',
      aggregator: 'max',
      labelNames: ['lane'],
      collect() {
        for (const [lane, { oldestMs }] of Object.entries(storeQueues()))
          this.set({ lane }, oldestMs / 1_000);
      },
    }),
    appendSeconds: new Histogram({
      registers,
      name: 'holdfast_append_seconds',
      help: 'Time from the arrival of an append to its acknowledgement',
      buckets: SECONDS,
    }),
    batchEntries: new Histogram({
      registers,
      name: 'holdfast_batch_entries',
      help: 'Entries written to the store in one batch',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    }),
    tailLagSeconds: new Histogram({
      registers,
      name: 'holdfast_tail_lag_seconds',
      help: 'Time from the timestamp of an entry to its delivery by the tail',
      buckets: SECONDS,
    }),
  };
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface MetricsServer {
  /** The actual one, also if METRICS_PORT is 0. */
  port: number;
  close(): Promise<void>;
}

/** Answers only `GET /metrics`. Rejects if it cannot listen on the port. */
export async function serveMetrics(
  registry: Pick<Registry, 'metrics' | 'contentType'>,
  host: string,
  port: number,
): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics')
      return response.writeHead(404).end('See /metrics.\n');
    try {
      const text = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType }).end(text);
    } catch (error) {
      response.writeHead(500).end(`${error}\n`);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
