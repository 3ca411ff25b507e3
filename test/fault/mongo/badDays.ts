/** Bad days of an operator as faults: each lasts for `ms`, if its length is the point. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SHUTDOWN_WITHIN_MS } from '../../../server/base/serverLimits.ts';
import type { MongoServer } from '../../support/mongo/index.ts';
import type { TcpProxy } from '../../support/proxy.ts';
import type { ServerProcess } from '../../support/serverProcess.ts';
import { waitFor } from '../../support/waitFor.ts';
import type { Fault } from './faults.ts';

export function databaseBadDays(mongo: MongoServer, proxy: TcpProxy, ms: number): Fault[] {
  return [
    {
      name: 'database away for long',
      strike: async () => {
        proxy.refuse();
        await sleep(ms);
        proxy.pass();
      },
    },
    {
      name: 'database silent for long',
      strike: async () => {
        proxy.stall();
        await sleep(ms);
        proxy.cut();
        proxy.pass();
      },
    },
    {
      name: 'primary steps down in mid-batch',
      strike: async () => {
        // the next batches wait inside the database, and meet its step-down there
        await mongo.clearFailPoints();
        const waits = { failCommands: ['insert'], blockConnection: true, blockTimeMS: 1_000 };
        await mongo.failPoint(waits, { times: 3 });
        await sleep(500);
        await mongo.stepDown(2);
        await mongo.clearFailPoints();
      },
    },
  ];
}

export function serverBadDays(server: ServerProcess, ms: number): Fault[] {
  return [
    {
      name: 'server frozen for long',
      strike: async () => {
        await server.pause();
        await sleep(ms);
        server.resume();
      },
    },
    {
      name: 'server out of file descriptors',
      strike: async () => {
        const pid = server.pid();
        const limit = (most: number) => execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${most}:`]);
        limit(readdirSync(`/proc/${pid}/fd`).length - 5);
        await sleep(Math.min(ms, OUT_OF_DESCRIPTORS_MS));
        limit(DESCRIPTORS);
      },
    },
    {
      name: 'server killed again and again',
      strike: async () => {
        for (let nth = 0; nth < 2; nth++) {
          await server.kill9();
          await startAgain(server);
        }
      },
    },
    {
      name: 'server restarted in order',
      strike: async () => {
        const began = performance.now();
        await server.stop(); // the exit code is 1 where the database is away, too: requests cannot be finished
        const tookMs = performance.now() - began;
        if (tookMs > STOPPED_WITHIN_MS) throw new Error(`a server ended ${tookMs} ms after SIGTERM`);
        await startAgain(server);
      },
    },
  ];
}

const OUT_OF_DESCRIPTORS_MS = 5_000;
const DESCRIPTORS = 4_096;
/** On a machine that does much else. */
const STOPPED_WITHIN_MS = SHUTDOWN_WITHIN_MS + 3_000;
const START_WITHIN_MS = 90_000;

/** A server whose database is unavailable at the start exits; start it again, as a supervisor does. */
export async function startAgain(server: ServerProcess): Promise<void> {
  const isUp = async () => {
    try {
      await server.start();
      return true;
    } catch {
      await server.kill9(); // it may be alive, and only late
      return false;
    }
  };
  await waitFor('the server is up again', isUp, START_WITHIN_MS);
}

/** The environment of a Node process whose clock is wrong by this. Timers are right. */
export function wrongClock(ms: number): { NODE_OPTIONS: string } {
  const preload = `const now = Date.now; Date.now = () => now() + ${ms};
    globalThis.Date = class extends Date { constructor(...args) { super(...(args.length === 0 ? [Date.now()] : args)); } };`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(preload)}` };
}
