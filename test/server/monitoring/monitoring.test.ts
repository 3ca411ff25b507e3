/** Metrics, alert rules and dashboard: by promtool, and against a running server with two workers and a certificate. */
// @module-tag slow
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../support/certificate.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { freePort } from '../../support/mongo/port.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { promtoolForTests } from '../../support/setup/programs.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import { ROOT, run } from '../../support/tools.ts';
import { waitFor } from '../../support/waitFor.ts';
import { ALERTS } from './alerts.ts';

const FILES = join(ROOT, 'deploy/monitoring');
const rules = readFileSync(join(FILES, 'alerts.yml'), 'utf8');
const dashboard = readFileSync(join(FILES, 'dashboard.json'), 'utf8');

let folder: TemporaryFolder;
let mongo: MongoServer;
let server: ServerProcess;
let metricsPort: number;
beforeAll(async () => {
  await promtoolForTests();
  folder = await temporaryFolder();
  mongo = await startMongo();
  metricsPort = await freePort();
  const { certFile, keyFile } = makeCertificate(folder.path, 'server');
  server = await startServer({
    env: {
      MONGODB_URL: mongo.url,
      WORKERS: '2',
      METRICS_PORT: String(metricsPort),
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
    },
  });
  await waitFor('both are ready', async () => sample(await scrape(), 'holdfast_workers') === 2, 60_000);
}, 120_000);
afterAll(async () => {
  await server?.dispose();
  await mongo?.[Symbol.asyncDispose]();
  await folder?.remove();
});

const scrape = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
const sample = (text: string, series: string) => Number(text.split(`\n${series} `)[1]?.split('\n')[0]);
const look = (path = '/api/session') =>
  new Promise<void>((resolve, reject) => {
    get(`${server.url}${path}`, { rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume().on('end', resolve);
    }).on('error', reject);
  });
const LOOKS = 'holdfast_frames_total{event="session"}';

async function promtool(...args: string[]): Promise<void> {
  const { code, output } = await run('promtool', args);
  expect({ code, output }).toMatchObject({ code: 0 });
}

test('the metrics of two workers have good names, and are those of both: summed up, the worst of both, and never falling', async () => {
  for (let n = 0; n < 5; n++) await look();
  await look('/socket.io/?EIO=4&transport=polling&sid=unknown');
  const before = await scrape();
  expect(sample(before, 'holdfast_connection_refusals_total{code="engine-1"}')).toBe(1); // of Engine.IO
  const file = join(folder.path, 'metrics.txt');
  await writeFile(file, before);
  const { code, output } = await run('sh', ['-c', `promtool check metrics < ${file}`]);
  expect({ code, output }).toEqual({ code: 0, output: '' });
  expect(sample(before, LOOKS)).toBe(5);
  expect(sample(before, 'holdfast_tail_open')).toBe(1);
  const days =
    (sample(before, 'holdfast_certificate_expiry_timestamp_seconds') * 1_000 - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(2);

  const pid = server.pid();
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (const worker of workers) process.kill(Number(worker), 'SIGKILL');
  await waitFor('others are ready', () => server.logs().split('"worker ready"').length - 1 === 4, 60_000);
  expect(sample(await scrape(), LOOKS)).toBe(5);
  await look();
  expect(sample(await scrape(), LOOKS)).toBe(6);
}, 150_000);

test('every metric that the dashboard and the rules name is one of a running server', async () => {
  const text = await scrape();
  const families = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name, type]) => [name!, type!]),
  );
  const known = [...families].flatMap(([name, type]) =>
    type === 'histogram' ? ['_bucket', '_count', '_sum'].map((part) => name + part) : [name],
  );
  const named = new Set(`${rules} ${dashboard}`.match(/\bholdfast_\w+/g));
  expect(named.size).toBeGreaterThan(20);
  expect([...named].filter((name) => !known.includes(name))).toEqual([]);
  expect([...families.keys()].filter((name) => !name.startsWith('holdfast_'))).toEqual([]);
});

test('rules and configuration are accepted by promtool, and so is each expression of the dashboard', async () => {
  await promtool('check', 'config', join(FILES, 'prometheus.yml'));
  const { panels } = JSON.parse(dashboard) as { panels: { title: string; targets: { expr: string }[] }[] };
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(expressions.length).toBeGreaterThan(20);
  const groups = [
    {
      name: 'dashboard',
      rules: expressions.map((expr, nth) => ({
        record: `panel:${nth}`,
        expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
      })),
    },
  ];
  const file = join(folder.path, 'dashboard.yml');
  await writeFile(file, JSON.stringify({ groups }));
  await promtool('check', 'rules', file);
});

test('each alert fires where it should, and does not where all is well', async () => {
  const named = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
  expect(Object.keys(ALERTS).sort()).toEqual(named.sort());
  const cases = Object.entries(ALERTS).flatMap(([alert, { fires, alsoFires = [], quiet, at }]) =>
    [quiet, fires, ...alsoFires].map((series, nth) => ({
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
          eval_time: at ?? '20m',
          exp_samples: [{ labels: '{}', value: nth === 0 ? 0 : 1 }],
        },
      ],
    })),
  );
  const file = join(folder.path, 'alerts.test.yml');
  const content = { rule_files: [join(FILES, 'alerts.yml')], evaluation_interval: '1m', tests: cases };
  await writeFile(file, JSON.stringify(content));
  await promtool('test', 'rules', file);
});
