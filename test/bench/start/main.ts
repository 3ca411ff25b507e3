/**
 * `node test/bench/start/main.ts`: measures the time from the start of a server on SQLite with a million entries to its first
 * acknowledgement, after a clean shutdown and after kill -9. `--entries N`, `--rounds N`, `--server FOLDER` (another checkout,
 * for comparison), `--cold` (drops the system's file cache; needs root).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createLogger } from '../../../server/base/logger.ts';
import { openSqlite } from '../../../server/store/sqlite/index.ts';
import { newId, text, upTo } from '../../contract/support.ts';
import { type SignedUp, text as said, signUp } from '../../support/api.ts';
import { dieTogether } from '../../support/orphans.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { ROOT } from '../../support/tools.ts';
import { spreadOf } from '../statistics.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    server: { type: 'string', default: ROOT },
    cold: { type: 'boolean', default: false },
  },
});

/** Background work of a start, such as the integrity check, ends within this time. */
const SETTLE_MS = 3_000;
const BATCH = 2_000;
const ENDS = { 'a stop in order': 'SIGTERM', 'kill -9': 'SIGKILL' } as const;

await using folder = await temporaryFolder();
await fill(join(folder.path, 'holdfast.db'), Number(values.entries));
const first = await start();
const session = await signUp(first.url, 'Ada');
await firstMessage(first.url, session);
await end(first.child, 'SIGTERM');

for (const [name, signal] of Object.entries(ENDS)) {
  const took: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const before = await start();
    await firstMessage(before.url, session);
    await sleep(SETTLE_MS);
    await end(before.child, signal);
    if (values.cold) forgetFiles();
    const begun = performance.now();
    const { url, child } = await start();
    await firstMessage(url, session);
    took.push(performance.now() - begun);
    await sleep(SETTLE_MS);
    await end(child, 'SIGTERM');
  }
  const { median, least, most } = spreadOf(took);
  const ms = (value: number) => `${Math.round(value)} ms`;
  console.log(`after ${name}: ${ms(median)} until the first message (${ms(least)} to ${ms(most)})`);
}

async function fill(file: string, entries: number): Promise<void> {
  const store = await openSqlite({ file, log: createLogger('warn') });
  const authors = upTo(200).map(newId);
  for (let n = 0; n < entries; n += BATCH) {
    const batch = upTo(Math.min(BATCH, entries - n)).map((m) =>
      text('lobby', authors[(n + m) % authors.length]!, `message ${n + m} of forty characters or so`),
    );
    const { stopped } = await store.log.append(batch, Date.now());
    if (stopped) throw stopped;
  }
  await store.close();
}

/** Resolves when it has printed its address. */
async function start(): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, ['server/main.ts'], {
    cwd: resolve(values.server),
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', DATA: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  dieTogether(child);
  const port = new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (printed: string) => {
      const found = /:(\d+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error('the server ended before it listened')));
  });
  return { url: `http://127.0.0.1:${await port}`, child };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await once(child, 'exit');
}

async function firstMessage(url: string, { token, user }: SignedUp): Promise<void> {
  const answer = await fetch(`${url}/api/append`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ as: user.id, items: [said('first')] }),
  });
  const body = await answer.text();
  if (!body.includes('serverOffset')) throw new Error(`not acknowledged: ${body}`);
}

function forgetFiles(): void {
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}
