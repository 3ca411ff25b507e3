/** For each alert of deploy/monitoring/alerts.yml: series with which it fires, and some with which it does not. */

/** A value a minute, as promtool writes them: `1+2x3` is 1, 3, 5, 7. */
type Series = Record<string, string>;

interface Case {
  fires: Series;
  alsoFires?: Series[];
  quiet: Series;
  /** When it is looked at. Default: after 20 minutes. */
  at?: string;
}

const OF = 'job="holdfast",instance="a"';

/** All of `count` observations a minute are in the buckets from `le` on. */
function histogram(name: string, le: string, les: readonly string[], count = 60): Series {
  const from = les.indexOf(le);
  const buckets = les.map((bound, nth): [string, string] => [
    `${name}_bucket{${OF},le="${bound}"}`,
    nth >= from ? `0+${count}x120` : '0x120',
  ]);
  return { ...Object.fromEntries(buckets), [`${name}_count{${OF}}`]: `0+${count}x120` };
}

const SECONDS = ['0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];
const AGES = ['0', '60', '300', '3600', '21600', '86400', '604800', '+Inf'];
const seconds = (name: string, le: string) => histogram(name, le, SECONDS);
const counter = (series: string, perMinute: number): Series => ({ [series]: `0+${perMinute}x120` });
const gauge = (series: string, value: number): Series => ({ [series]: `${value}x120` });
const DAY = 86_400;

export const ALERTS: Record<string, Case> = {
  HoldfastDown: { fires: gauge(`up{${OF}}`, 0), quiet: gauge(`up{${OF}}`, 1) },
  HoldfastNoWorker: {
    fires: { ...gauge(`up{${OF}}`, 1), [`holdfast_workers{${OF}}`]: '2x18 0x60' },
    quiet: { ...gauge(`up{${OF}}`, 1), [`holdfast_workers{${OF}}`]: '2x15 1x60' },
  },
  HoldfastWorkersMissing: {
    fires: { [`holdfast_workers{${OF}}`]: '4x5 3x60' },
    quiet: { [`holdfast_workers{${OF}}`]: '4x5 3x1 4x60' },
  },
  HoldfastNotFollowing: {
    fires: gauge(`holdfast_tail_open{${OF}}`, 0),
    quiet: { [`holdfast_tail_open{${OF}}`]: '1x10 0x0 1x60' },
  },
  HoldfastErrors: {
    fires: { [`holdfast_refusals_total{${OF},event="append",code="internal"}`]: '0x15 1x60' },
    alsoFires: [{ [`holdfast_connection_refusals_total{${OF},code="internal"}`]: '0x15 1x60' }],
    quiet: {
      ...gauge(`holdfast_refusals_total{${OF},event="append",code="internal"}`, 3),
      ...counter(`holdfast_refusals_total{${OF},event="append",code="invalid"}`, 600),
    },
  },
  HoldfastUnavailable: {
    fires: counter(`holdfast_refusals_total{${OF},event="append",code="unavailable"}`, 120),
    quiet: counter(`holdfast_refusals_total{${OF},event="append",code="unavailable"}`, 30),
  },
  // one app that tries again every other minute
  HoldfastKeepsFailing: {
    fires: {
      [`holdfast_refusals_total{${OF},event="append",code="unavailable"}`]:
        '0 0 1 1 2 2 3 3 4 4 5 5 6 6 7x60',
    },
    alsoFires: [
      counter(`holdfast_refusals_total{${OF},event="append",code="internal"}`, 1),
      counter(`holdfast_connection_refusals_total{${OF},code="unavailable"}`, 1),
    ],
    quiet: {
      [`holdfast_refusals_total{${OF},event="append",code="unavailable"}`]: '0x10 400x3 401x60', // a restart of the database
      ...counter(`holdfast_refusals_total{${OF},event="append",code="rate-limited"}`, 600),
    },
  },
  HoldfastAppendsSlow: {
    fires: seconds('holdfast_append_seconds', '2.5'),
    quiet: seconds('holdfast_append_seconds', '0.1'),
  },
  HoldfastTailLags: {
    fires: seconds('holdfast_tail_lag_seconds', '5'),
    quiet: seconds('holdfast_tail_lag_seconds', '1'),
  },
  HoldfastFanOutSlow: {
    fires: seconds('holdfast_fan_out_seconds', '0.5'),
    quiet: seconds('holdfast_fan_out_seconds', '0.1'),
  },
  HoldfastStoreBusy: {
    fires: gauge(`holdfast_store_queue_age_seconds{${OF},lane="reader"}`, 3),
    quiet: { [`holdfast_store_queue_age_seconds{${OF},lane="reader"}`]: '0x17 3x1 0x60' },
  },
  HoldfastUnsentBytes: {
    fires: gauge(`holdfast_unsent_bytes{${OF}}`, 40 * 1024 * 1024),
    quiet: gauge(`holdfast_unsent_bytes{${OF}}`, 10 * 1024 * 1024),
  },
  HoldfastEvictsClients: {
    fires: counter(`holdfast_evicted_clients_total{${OF},reason="slow"}`, 120),
    quiet: counter(`holdfast_evicted_clients_total{${OF},reason="slow"}`, 6),
  },
  HoldfastRefusesConnections: {
    fires: counter(`holdfast_connection_refusals_total{${OF},code="engine-1"}`, 120),
    quiet: counter(`holdfast_connection_refusals_total{${OF},code="unauthorized"}`, 600),
  },
  HoldfastLimits: {
    fires: counter(`holdfast_limit_hits_total{${OF},limit="items"}`, 600),
    quiet: counter(`holdfast_limit_hits_total{${OF},limit="items"}`, 60),
  },
  HoldfastMessagesWait: {
    fires: histogram('holdfast_outbox_age_seconds', '21600', AGES, 1),
    quiet: histogram('holdfast_outbox_age_seconds', '300', AGES, 60),
    at: '1h50m',
  },
  HoldfastEventLoopSlow: {
    fires: gauge(`holdfast_nodejs_eventloop_lag_p99_seconds{${OF}}`, 0.5),
    quiet: gauge(`holdfast_nodejs_eventloop_lag_p99_seconds{${OF}}`, 0.02),
  },
  HoldfastMemory: {
    fires: {
      ...gauge(`holdfast_process_resident_memory_max_bytes{${OF}}`, 2e9),
      ...gauge(`holdfast_process_resident_memory_bytes{${OF}}`, 2.6e9),
      ...gauge(`holdfast_workers{${OF}}`, 4),
    },
    quiet: {
      ...gauge(`holdfast_process_resident_memory_max_bytes{${OF}}`, 1e9),
      ...gauge(`holdfast_process_resident_memory_bytes{${OF}}`, 4e9),
      ...gauge(`holdfast_workers{${OF}}`, 4),
    },
  },
  HoldfastOpenFiles: {
    fires: gauge(`holdfast_process_open_fds_max_ratio{${OF}}`, 0.88),
    quiet: gauge(`holdfast_process_open_fds_max_ratio{${OF}}`, 0.5),
  },
  // promtool begins at the time 0
  HoldfastCertificateEnds: {
    fires: gauge(`holdfast_certificate_expiry_timestamp_seconds{${OF}}`, 10 * DAY),
    quiet: gauge(`holdfast_certificate_expiry_timestamp_seconds{${OF}}`, 60 * DAY),
    at: '1h30m',
  },
  HoldfastCertificateEndsSoon: {
    fires: gauge(`holdfast_certificate_expiry_timestamp_seconds{${OF}}`, 2 * DAY),
    quiet: gauge(`holdfast_certificate_expiry_timestamp_seconds{${OF}}`, 10 * DAY),
  },
};
