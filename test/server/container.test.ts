/** What Dockerfile and compose.yaml promise of the server: its health check, and the time for a shutdown. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SHUTDOWN_WITHIN_MS, STOPPED_WITHIN_MS } from '../../server/base/serverLimits.ts';
import { makeCertificate } from '../support/certificate.ts';
import { startServer } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { ROOT, run } from '../support/tools.ts';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

/** The command of HEALTHCHECK. */
function checkHealth(env: Record<string, string>) {
  const [, command = '[]'] = /HEALTHCHECK[^[]*CMD (\[.*\])/.exec(read('Dockerfile')) ?? [];
  const [node, ...args] = JSON.parse(command) as string[];
  expect(node).toBe('node');
  return run(process.execPath, args, { env });
}

describe('the health check', () => {
  test('over HTTP: 0 while the server is ready, 1 when it is gone', async () => {
    await using server = await startServer();
    const env = { PORT: String(server.port), HOST: '', TLS_CERT_FILE: ' ' };
    expect(await checkHealth(env)).toMatchObject({ code: 0 });
    await server.stop();
    expect(await checkHealth(env)).toMatchObject({ code: 1 });
  });

  test('over HTTPS: it follows TLS_CERT_FILE, with a certificate for any name', async () => {
    await using folder = await temporaryFolder();
    const { certFile, keyFile } = makeCertificate(folder.path, 'own');
    const tls = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
    await using server = await startServer({ env: tls });
    const PORT = String(server.port);
    expect(await checkHealth({ PORT, ...tls })).toMatchObject({ code: 0 });
    expect(await checkHealth({ PORT })).toMatchObject({ code: 1 });
  });
});

/** What docs/OPERATE.md recommends behind a load balancer. */
const DRAIN_MS = 5_000;

test('a shutdown fits into the 10 s of `docker stop`; with DRAIN_SECONDS=5, into what compose.yaml and the unit give it', () => {
  expect(SHUTDOWN_WITHIN_MS).toBeLessThanOrEqual(9_000);
  const [, servers = ''] = read('compose.yaml').split('x-chat:');
  const [, grace] = /stop_grace_period: (\d+)s/.exec(servers) ?? [];
  const [, timeout] = /TimeoutStopSec=(\d+)/.exec(read('docs/OPERATE.md')) ?? [];
  for (const seconds of [grace, timeout])
    expect(Number(seconds) * 1_000).toBeGreaterThan(DRAIN_MS + STOPPED_WITHIN_MS);
});

/** Decided by image and compose.yaml: where it listens, its files, its database. */
const OF_THE_IMAGE = ['PORT', 'HOST', 'DATA', 'MONGODB_URL', 'TLS_CERT_FILE', 'TLS_KEY_FILE', 'PAGE'];

test('compose.yaml passes on each setting of docs/OPERATE.md that the image does not decide', () => {
  const table = read('docs/OPERATE.md').split('## Settings')[1]!.split('\n## ')[0]!;
  const documented = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names]) =>
    [...names!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!),
  );
  const passed = [...read('compose.yaml').matchAll(/^ {4}([A-Z_]+): \$\{(\w+):-\}$/gm)];
  for (const [, name, of] of passed) expect(of).toBe(name);
  expect([...passed.map(([, name]) => name), ...OF_THE_IMAGE].sort()).toEqual(documented.sort());
});
