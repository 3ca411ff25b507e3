/** The Prometheus metrics, and the server on its own port that exposes them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** The calls that wait for the store, by queue: how many, and how long the first one has waited. */
type StoreQueues = Readonly<Record<string, { waiting: number; oldestMs: number }>>;

/**
 * All names begin with `holdfast_`. Units and suffixes are those of Prometheus' conventions. Labels have few values: never what
 * a client sent, nor who it is. Of several workers counters are summed up, gauges as their `aggregator` says.
 */
export function createMetrics(
  storeQueues: () => StoreQueues = () => ({}),
  isTailOpen: () => boolean = () => true,
) {
  const registry = new Registry();
  const registers = [registry];
  measureProcess(registry);
  const connectionRefusals = new Counter({
    registers,
    name: 'holdfast_connection_refusals_total',
    help: 'Handshakes refused, by error code',
    labelNames: ['code'],
  });
  for (const code of ['internal', 'unavailable']) connectionRefusals.inc({ code }, 0); // for the alerts
  return {
    registry,
    connectionRefusals,
    tailOpen: new Gauge({
      registers,
      name: 'holdfast_tail_open',
      help: '1 while the process follows the entries that are committed, else 0',
      aggregator: 'min',
      collect() {
        this.set(isTailOpen() ? 1 : 0);
      },
    }),
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
      help: 'Requests that were refused, put off or failed, at least in part, by event and error code: each code once for a request',
      labelNames: ['event', 'code'],
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
    fanOutSeconds: new Histogram({
      registers,
      name: 'holdfast_fan_out_seconds',
      help: 'Time in which a frame of a room is made and handed to the connections of this process',
      buckets: SECONDS,
    }),
    outboxAgeSeconds: new Histogram({
      registers,
      name: 'holdfast_outbox_age_seconds',
      help: 'How long the oldest message that waits on a device has waited, as apps report it when they connect; 0 where none waits',
      buckets: [0, 60, 300, 3_600, 21_600, 86_400, 604_800],
    }),
    /** Call once, where there is a certificate. `validTo`: when it ends, in ms. */
    watchCertificate: (validTo: () => number) =>
      new Gauge({
        registers,
        name: 'holdfast_certificate_expiry_timestamp_seconds',
        help: 'When the TLS certificate in use ends, in seconds since 1970',
        aggregator: 'min',
        collect() {
          this.set(validTo() / 1_000);
        },
      }),
  };
}

/** Memory, processor, event-loop delay, garbage collection, open files. */
export function measureProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry, prefix: 'holdfast_' });
  for (const name of NAMED_WRONGLY) registry.removeSingleMetric(name);
  for (const name of LAGS) Object.assign(registry.getSingleMetric(name)!, { aggregator: 'max' });
  watchWorst(registry);
}

/** Gauges of prom-client with the suffix of a counter. What they say is also in `holdfast_nodejs_active_resources`. */
const NAMED_WRONGLY = ['handles', 'requests', 'resources'].map(
  (what) => `holdfast_nodejs_active_${what}_total`,
);
/** By default the average of all workers, in which one that stands still is hidden. */
const LAGS = ['', '_p50', '_p90', '_p99'].map((part) => `holdfast_nodejs_eventloop_lag${part}_seconds`);

/** What one process may run out of alone, in which a sum over all workers hides the one. File descriptors: where Linux tells. */
function watchWorst(registry: Registry): void {
  const registers = [registry];
  new Gauge({
    registers,
    name: 'holdfast_process_resident_memory_max_bytes',
    help: 'Resident memory of the process that has most',
    aggregator: 'max',
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  const open = registry.getSingleMetric('holdfast_process_open_fds');
  const allowed = registry.getSingleMetric('holdfast_process_max_fds');
  if (!open || !allowed) return;
  const readingOf = async (metric: typeof open) => (await metric.get()).values[0]?.value ?? 0;
  new Gauge({
    registers,
    name: 'holdfast_process_open_fds_max_ratio',
    help: 'Open file descriptors of those allowed, of the process that has the greatest share open',
    aggregator: 'max',
    async collect() {
      const ratio = (await readingOf(open)) / (await readingOf(allowed));
      this.set(Number.isFinite(ratio) ? ratio : 0); // allowed may be "unlimited"
    },
  });
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
