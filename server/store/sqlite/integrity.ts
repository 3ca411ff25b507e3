/**
 * Whether the pages of the database file are intact, as far as this process knows: from the mark of the previous run
 * (integrityMark.ts), from the check on opening where the file is small, or from a check that runs beside the server.
 *
 * That check is `PRAGMA quick_check`, after a run that was not closed properly. It reads every page, which takes a minute for
 * a large file on a slow disk, so it runs in a process of its own (integrityChecker.ts) with the lowest priority. A process
 * can be killed at any moment; a thread inside a call of SQLite cannot be stopped. The check reads in one transaction: until
 * it ends, the WAL file cannot restart, and grows by everything that is written.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { assertNever } from '../../../shared/never.ts';
import type { Unusable } from '../port.ts';
import { damaged } from './connections.ts';
import { readMark, removeMark, writeMark } from './integrityMark.ts';
import { withoutWatching } from './processes.ts';

export interface Integrity {
  /** The file was closed properly and known to be intact then: it needs no check. */
  readonly isKnownWhole: boolean;
  /** The database is open, at the start or after a thread died. Starts a check unless all pages are checked. */
  opened(isChecked: boolean): void;
  /** A thread has found the file damaged. */
  foundDamaged(error: Unusable): void;
  /** Kills a running check. Resolves when its process no longer has the file open. */
  stopCheck(): Promise<void>;
  /** Writes the mark for the next run. The file must be closed, with no commits left in the WAL file. */
  leaveMark(): void;
}

type State = { tag: 'whole' | 'unknown' | 'damaged' } | { tag: 'checking'; check: IntegrityCheck };

/**
 * Removes the mark of the previous run, because the file may be written to from here on. Throws `Unusable` where that run
 * found the file damaged. `onDamage` is called at most once.
 */
export function createIntegrity(
  file: string,
  log: Pick<Logger, 'warn'>,
  onDamage: (error: Unusable) => void,
): Integrity {
  const known = readMark(file);
  if (known === 'damaged') throw damaged(file); // the mark stays, because it still describes this file
  removeMark(file);
  let state: State = { tag: known };

  function foundDamaged(error: Unusable): void {
    if (state.tag === 'damaged') return;
    state = { tag: 'damaged' };
    onDamage(error);
  }

  async function checkNow(): Promise<void> {
    const check = startCheck(file, log);
    state = { tag: 'checking', check };
    const found = await check.found;
    if (state.tag !== 'checking' || state.check !== check) return;
    if (found === 'damaged') foundDamaged(damaged(file));
    else state = { tag: found };
  }

  return {
    isKnownWhole: known === 'whole',
    opened(isChecked) {
      if (state.tag === 'damaged' || state.tag === 'checking') return;
      if (isChecked) state = { tag: 'whole' };
      else void checkNow();
    },
    foundDamaged,
    async stopCheck() {
      if (state.tag === 'checking') await state.check.stop();
    },
    leaveMark() {
      switch (state.tag) {
        case 'whole':
        case 'damaged':
          return leave(state.tag);
        case 'unknown':
        case 'checking':
          return;
        default:
          return assertNever(state);
      }
    },
  };

  /** An error is only logged: without a mark, the next start checks the file. */
  function leave(tag: 'whole' | 'damaged'): void {
    try {
      writeMark(file, tag);
    } catch (error) {
      log.warn(
        { err: error, file },
        'the database is closed, but the mark of its integrity could not be written',
      );
    }
  }
}

export interface IntegrityCheck {
  /** `unknown`: the check did not finish. Never rejects. */
  found: Promise<'whole' | 'damaged' | 'unknown'>;
  /** Kills the check: it finds `unknown`. Resolves when its process no longer has the file open. */
  stop(): Promise<void>;
}

/** The message of the checking process. */
export type FromChecker = { tag: 'found'; found: 'whole' | 'damaged' } | { tag: 'failed'; message: string };

/** The file must be open in this process, and stay open during the check. */
export function startCheck(file: string, log: Pick<Logger, 'warn'>): IntegrityCheck {
  const child = fork(new URL('./integrityChecker.ts', import.meta.url), [file], {
    execArgv: [],
    env: withoutWatching(process.env),
  });
  let received: FromChecker | undefined;
  child.on('message', (message: FromChecker) => {
    received = message;
  });
  const ended = once(child, 'exit').then(
    () => undefined,
    (error: Error) => error.message, // the process could not be started
  );
  let isStopped = false;

  async function outcome(): IntegrityCheck['found'] {
    const failure = await ended;
    if (received?.tag === 'found') return received.found;
    if (!isStopped)
      log.warn({ file, why: received?.message ?? failure }, 'the database could not be checked');
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
