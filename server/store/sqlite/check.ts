/**
 * The integrity check of a database that is in use, after a run that did not end in order. It reads every page, which
 * takes a minute for a large file on a slow disk: so it runs in a process of its own, with the lowest priority, beside
 * the server. Such a check can be ended at any moment, which a thread in the middle of a call of SQLite cannot.
 *
 * It reads in one transaction: until it ends, the log of changes (`-wal`) is not begun anew and grows by what is written
 * meanwhile.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { withoutWatching } from './environment.ts';

/** `unknown`: the check did not come to an end. */
export type Found = 'whole' | 'damaged' | 'unknown';

export type FromChecker =
  | { tag: 'found'; found: Exclude<Found, 'unknown'> }
  | { tag: 'failed'; message: string };

export interface Check {
  /** Never rejects. */
  found: Promise<Found>;
  /** Ends it, with `unknown`. Resolves when nothing of it has the file open. */
  stop(): Promise<void>;
}

/** The file must be open here, and stay open while it is checked. */
export function startCheck(file: string, log: Pick<Logger, 'warn'>): Check {
  const child = fork(new URL('./checker.ts', import.meta.url), [file], {
    execArgv: [],
    env: withoutWatching(process.env),
  });
  let said: FromChecker | undefined;
  child.on('message', (message: FromChecker) => {
    said = message;
  });
  const ended = once(child, 'exit').then(
    () => undefined,
    (error: Error) => error.message, // it could not be started
  );
  let isStopped = false;

  async function outcome(): Promise<Found> {
    const failure = await ended;
    if (said?.tag === 'found') return said.found;
    if (!isStopped) log.warn({ file, why: said?.message ?? failure }, 'the database could not be checked');
    return 'unknown';
  }

  return {
    found: outcome(),
    async stop() {
      isStopped = true;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
