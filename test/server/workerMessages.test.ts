import type { Worker as ClusterWorker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { createMetrics } from '../../server/base/metrics.ts';
import { metricsOfWorkers } from '../../server/workerMessages.ts';

interface Asked {
  type: string;
  id: number;
}

/** A worker with one connection, which has received some frames. */
function workerWith(id: number, frames: number) {
  const { registry, ...metrics } = createMetrics();
  metrics.frames.inc({ event: 'append' }, frames);
  metrics.connections.set(1);
  /** Values instead of those of this process, by the names of gauges. */
  const measured: Record<string, number> = {};
  const state = { answers: true, onAsked: () => {} };
  const process = Object.assign(new EventEmitter(), {
    id,
    send(asked: Asked, done: (error: Error | null) => void) {
      if (!state.answers) return done(new Error('It cannot be reached.'));
      void registry.getMetricsAsJSON().then((answer) => {
        for (const { name, values } of answer) if (name in measured) values[0]!.value = measured[name]!;
        process.emit('message', { ...asked, metrics: answer });
        state.onAsked();
      });
    },
  });
  return { ...metrics, state, measured, process, end: () => process.emit('exit', null, 'SIGKILL') };
}

function scene() {
  const [first, second] = [workerWith(1, 1_000), workerWith(2, 10)];
  let ready = [first, second];
  const registry = metricsOfWorkers(() => ready.map(({ process }) => process as unknown as ClusterWorker));
  async function samples() {
    const text = await registry.metrics();
    return (series: string) => Number(text.split(`\n${series} `)[1]?.split('\n')[0]);
  }
  async function scrape() {
    const sample = await samples();
    return {
      frames: sample('holdfast_frames_total{event="append"}'),
      connections: sample('holdfast_connections'),
    };
  }
  return {
    first,
    second,
    samples,
    scrape,
    beReady(...workers: (typeof first)[]) {
      ready = workers;
    },
  };
}

test('the counters of a worker that is silent at a scrape are those it had last, and are not counted twice when it answers again', async () => {
  const { first, second, scrape, beReady } = scene();
  expect(await scrape()).toEqual({ frames: 1_010, connections: 2 });
  for (const _ of [1, 2]) {
    beReady(second);
    expect(await scrape()).toEqual({ frames: 1_010, connections: 1 });
    beReady(first, second);
    expect(await scrape()).toEqual({ frames: 1_010, connections: 2 });
  }
  first.state.answers = false;
  second.frames.inc({ event: 'append' });
  expect(await scrape()).toEqual({ frames: 1_011, connections: 1 });
});

test('the counters of workers that have ended stay in the sum, each once, whenever they ended', async () => {
  const { first, second, scrape, beReady } = scene();
  await scrape();
  beReady(second); // the first one is silent, and then ends
  await scrape();
  first.end();
  expect((await Promise.all([scrape(), scrape()])).map(({ frames }) => frames)).toEqual([1_010, 1_010]);
  second.state.onAsked = second.end; // in the middle of a scrape
  expect((await scrape()).frames).toBe(1_010);
  beReady(workerWith(3, 5));
  expect(await scrape()).toEqual({ frames: 1_015, connections: 1 });
});

test('memory and file descriptors are also those of the worst worker, which a sum would hide', async () => {
  const { first, second, samples } = scene();
  const [memory, files] = [
    'holdfast_process_resident_memory_max_bytes',
    'holdfast_process_open_fds_max_ratio',
  ];
  Object.assign(first.measured, { [memory]: 2e9, [files]: 0.1 });
  Object.assign(second.measured, { [memory]: 2e8, [files]: 0.9 });
  const sample = await samples();
  expect([sample(memory), sample(files)]).toEqual([2e9, 0.9]);
});

test('the process of the primary is measured, too: it accepts all connections', async () => {
  const { samples, beReady } = scene();
  beReady();
  const sample = await samples();
  expect(sample('holdfast_process_resident_memory_max_bytes')).toBeGreaterThan(10_000_000);
  expect(sample('holdfast_process_open_fds')).toBeGreaterThan(0);
  expect(sample('holdfast_process_open_fds_max_ratio')).toBeGreaterThan(0);
  expect(sample('holdfast_workers')).toBe(0);
});
