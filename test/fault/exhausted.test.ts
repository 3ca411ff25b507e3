/** A server that has no file descriptor left, or whose disk is full: it goes on, loses nothing, and recovers by itself. */
// @module-tag slow
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Item, ItemResult } from '../../shared/protocol/index.ts';
import { cpuOf } from '../bench/stand/usage.ts';
import { type ApiClient, bodyOf, connectClient, signUp, text, wholeLog } from '../support/api.ts';
import { freePort } from '../support/mongo/port.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { waitFor } from '../support/waitFor.ts';

/** Where prlimit (util-linux) and tmpfs are. */
const onLinux = test.skipIf(process.platform !== 'linux');

/** Sets the soft limit of a running process, as `ulimit -n` or `ulimit -f` would. Linux. */
function limit({ pid }: ServerProcess, name: 'nofile' | 'fsize', most: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', `${pid()}`, `--${name}=${most}:`]);
}

const openFiles = ({ pid }: ServerProcess) => readdirSync(`/proc/${pid()}/fd`).length;

onLinux.each([
  ['a few are left', 5],
  ['there are already more open than allowed', -5],
])(
  'a process out of file descriptors (%s): those who are connected go on, the others are refused and come in later',
  {
    timeout: 60_000,
  },
  async (_, left) => {
    await using server = await startServer();
    const session = await signUp(server.url, 'Ada');
    using ada = await connectClient(server.url, session);
    limit(server, 'nofile', openFiles(server) + left);
    const strangers: Socket[] = [];
    const refused = () => strangers.filter(({ destroyed }) => destroyed).length;
    for (let nth = 0; nth < 40; nth++) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      strangers.push(socket);
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    }
    await waitFor('some are refused', () => refused() >= 30);
    const before = cpuOf(server.pid());
    const began = performance.now();
    await waitFor('the log says so', () => server.logs().includes('no file descriptor left'));
    const text1 = text('said meanwhile');
    expect(await ada.append(text1)).toMatchObject({ results: [{ serverOffset: 2 }] });
    await sleep(Math.max(0, 1_000 - (performance.now() - began)));
    const share = (cpuOf(server.pid()) - before) / (performance.now() - began);
    expect(share).toBeLessThan(0.5); // no loop of failing accepts
    expect(server.logs().match(/no file descriptor left/g)).toHaveLength(1);

    for (const socket of strangers) socket.destroy();
    limit(server, 'nofile', 4_096);
    using bo = await waitFor('others come in', () =>
      connectClient(server.url, session).catch(() => undefined),
    );
    expect(await bo.append(text1, text('after'))).toMatchObject({
      results: [{ serverOffset: 2 }, { serverOffset: 3 }],
    });
    await ada.hears('after');
    expect(await server.stop()).toBe(0);
  },
);

/** A folder on a small disk of its own. Undefined where this user may not mount one. */
async function smallDisk(bytes: number) {
  const folder = await temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder.path], { stdio: 'ignore' });
  } catch {
    await folder.remove();
    return undefined;
  }
  return {
    path: folder.path,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['-l', folder.path]);
      await folder.remove();
    },
  };
}

/** Sends texts one after another until one is not stored. Resolves with those that are, and that one. */
async function fill(client: ApiClient): Promise<{ stored: string[]; last: Item; answer: unknown }> {
  const stored: string[] = [];
  for (;;) {
    const body = `${stored.length} ${'x'.repeat(3_900)}`;
    const item = text(body);
    const answer = await client.append(item);
    if (!isStored(answer)) return { stored, last: item, answer };
    stored.push(body);
  }
}

const isStored = (answer: { ok: boolean; results?: ItemResult[] }) =>
  answer.ok && answer.results?.[0] !== undefined && 'serverOffset' in answer.results[0];

onLinux(
  'L1 L2 L3 L4 a full disk: `unavailable` in a sentence, nothing is lost or doubled, and it goes on when there is space',
  {
    timeout: 60_000,
  },
  async ({ skip }) => {
    await using disk = await smallDisk(6 * 1024 * 1024);
    if (!disk) return skip('needs a user who may mount a tmpfs (root)');
    await using server = await startServer({ data: disk.path });
    const session = await signUp(server.url, 'Ada');
    using ada = await connectClient(server.url, session);
    const { bavail, bsize } = statfsSync(disk.path);
    const ballast = join(disk.path, 'ballast');
    await writeFile(ballast, Buffer.alloc(bavail * bsize - 400_000));

    const { stored, last, answer } = await fill(ada);
    expect(answer).toMatchObject({
      ok: true,
      results: [],
      stopped: { code: 'unavailable', retryAfter: 1_000 },
    });
    for (let tries = 0; tries < 5; tries++) expect(isStored(await ada.append(last))).toBe(false);
    await expect(signUp(server.url, 'Bo')).rejects.toThrow('503');
    expect((await wholeLog(server.url, session)).length).toBe(1 + stored.length);
    expect(server.logs().match(/There is no space left on the disk/g)).toHaveLength(1);

    await rm(ballast);
    await waitFor('it is stored', async () => isStored(await ada.append(last)));
    await server.kill9();
    await server.start();
    const log = await wholeLog(server.url, session);
    expect(log.map(({ serverOffset }) => serverOffset)).toEqual(log.map((_, nth) => nth + 1));
    expect(log.flatMap((entry) => (entry.kind === 'text' ? [bodyOf(entry)] : []))).toEqual([
      ...stored,
      (last as { body: string }).body,
    ]);
  },
);

onLinux(
  'L1 L3 L4 files that may not grow (a quota, ulimit -f): the same',
  {
    timeout: 60_000,
  },
  async () => {
    const metricsPort = await freePort();
    await using server = await startServer({ env: { METRICS_PORT: `${metricsPort}`, LOG_LEVEL: 'debug' } });
    const putOff = async () => {
      const shown = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      return Number(
        shown.split('holdfast_refusals_total{event="append",code="unavailable"} ')[1]?.split('\n')[0],
      );
    };
    expect(await putOff()).toBe(0);
    const session = await signUp(server.url, 'Ada');
    using ada = await connectClient(server.url, session);
    limit(server, 'fsize', 1_000_000);
    const { stored, last, answer } = await fill(ada);
    expect(answer).toMatchObject({ ok: true, results: [], stopped: { code: 'unavailable' } });
    const before = await putOff();
    expect(before).toBeGreaterThan(0);
    const body = JSON.stringify({ as: session.user.id, items: [last] });
    const headers = { authorization: `Bearer ${session.token}`, 'content-type': 'application/json' };
    const overHttp = await fetch(`${server.url}/api/append`, { method: 'POST', headers, body });
    expect(await overHttp.json()).toMatchObject({ ok: true, stopped: { code: 'unavailable' } });
    expect(await putOff()).toBe(before + 1);
    await waitFor('both lines', () =>
      [
        /"request":"append","code":"unavailable"/,
        /"request":"append",.*"status":200,"code":"unavailable"/,
      ].every((line) => line.test(server.logs())),
    );
    limit(server, 'fsize', 'unlimited');
    await waitFor('it is stored', async () => isStored(await ada.append(last)));
    const log = await wholeLog(server.url, session);
    expect(log.map(({ serverOffset }) => serverOffset)).toEqual(log.map((_, nth) => nth + 1));
    expect(log.filter(({ kind }) => kind === 'text')).toHaveLength(stored.length + 1);
  },
);
