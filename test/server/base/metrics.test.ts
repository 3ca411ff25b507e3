import { expect, test } from 'vitest';
import { createMetrics, serveMetrics } from '../../../server/base/metrics.ts';

test('the metrics are exposed on their own port, and nothing else is', async () => {
  const metrics = createMetrics(() => ({ reader: { waiting: 3, oldestMs: 200 } }));
  metrics.frames.inc({ event: 'append' });
  metrics.refusals.inc({ event: 'append', code: 'invalid' });
  metrics.appendSeconds.observe(0.004);
  metrics.limitHits.inc({ limit: 'frames' });
  metrics.evictedClients.inc({ reason: 'slow' });
  metrics.unsentBytes.set(70_000);

  const server = await serveMetrics(metrics.registry, '127.0.0.1', 0);
  try {
    const url = `http://127.0.0.1:${server.port}`;
    const shown = await (await fetch(`${url}/metrics`)).text();
    expect(shown).toContain('holdfast_frames_total{event="append"} 1');
    expect(shown).toContain('holdfast_refusals_total{event="append",code="invalid"} 1');
    expect(shown).toContain('holdfast_append_seconds_bucket{le="0.005"} 1');
    expect(shown).toContain('holdfast_limit_hits_total{limit="frames"} 1');
    expect(shown).toContain('holdfast_evicted_clients_total{reason="slow"} 1');
    expect(shown).toContain('holdfast_unsent_bytes 70000');
    expect(shown).toContain('holdfast_store_queue{lane="reader"} 3');
    expect(shown).toContain('holdfast_store_queue_age_seconds{lane="reader"} 0.2');
    expect(shown).toMatch(/^holdfast_process_resident_memory_bytes \d+/m);
    const sample = (name: string) => Number(shown.split(`\n${name} `)[1]?.split('\n')[0]);
    expect(sample('holdfast_process_resident_memory_max_bytes')).toBeGreaterThan(10_000_000);
    const files = sample('holdfast_process_open_fds') / sample('holdfast_process_max_fds');
    expect(sample('holdfast_process_open_fds_max_ratio')).toBeCloseTo(files, 2);
    expect(shown).toMatch(/^holdfast_nodejs_eventloop_lag_p99_seconds /m);
    const names = [...shown.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name);
    expect(names.filter((name) => !name?.startsWith('holdfast_'))).toEqual([]);
    expect((await fetch(`${url}/`)).status).toBe(404);
  } finally {
    await server.close();
  }
});
