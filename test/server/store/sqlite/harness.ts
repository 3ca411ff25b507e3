/** An empty database in a folder of its own, and processes that open it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import type { Harness } from '../../../contract/support.ts';

export const silent = pino({ level: 'silent' });

export async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'holdfast-'));
}

export async function sqliteHarness(): Promise<Harness> {
  const folder = await newFolder();
  const open = () => openSqlite({ file: join(folder, 'holdfast.db'), log: silent });
  let store = await open();
  return {
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = await open();
    },
    poisoned: (key) => ({ ...key, kind: 'text', body: 'x', digest: null as unknown as string }), // NOT NULL
    async destroy() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Starts child.ts: returns its first line and the process, which is killed at the end of the test. */
export function answerOf(task: string, path: string): Promise<[string, ChildProcess]> {
  return answerOfScript(fileURLToPath(new URL('./child.ts', import.meta.url)), task, path);
}

/** The same for any script. */
export async function answerOfScript(script: string, ...args: string[]): Promise<[string, ChildProcess]> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  return [String(line).trim(), child];
}
