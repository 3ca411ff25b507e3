/**
 * Whether the pages of the file fit together, as far as it is known: from the run before (mark.ts), from a check at the
 * opening where the file is small, or from one beside the work that has begun (check.ts).
 */
import type { Logger } from 'pino';
import { assertNever } from '../../../shared/never.ts';
import type { Unusable } from '../port.ts';
import { type Check, startCheck } from './check.ts';
import { damaged } from './database.ts';
import { readMark, removeMark, writeMark } from './mark.ts';

export interface Wholeness {
  /** Nothing is to be checked: it was whole when it was closed, and was closed in order. */
  readonly isKnown: boolean;
  /** The database is open, at the start or after a thread died. What is not checked is checked from now on. */
  opened(isChecked: boolean): void;
  /** It was found by whoever has it open. */
  foundDamaged(error: Unusable): void;
  /** Ends a check that is under way. Then nothing of it has the file open. */
  stopCheck(): Promise<void>;
  /** Leaves a mark for the next run. The file must be closed, with nothing left in its log of changes. */
  leaveMark(): void;
}

type State = { tag: 'whole' | 'unknown' | 'damaged' } | { tag: 'checking'; check: Check };

/**
 * Removes the mark of the run before: from here on the file may be written to. Throws `Unusable` where that run has found
 * the file damaged. `onDamage` is called at most once.
 */
export function createWholeness(
  file: string,
  log: Pick<Logger, 'warn'>,
  onDamage: (error: Unusable) => void,
): Wholeness {
  const known = readMark(file);
  if (known === 'damaged') throw damaged(file); // the mark stays: whatever is tried, it is of this file
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
    isKnown: known === 'whole',
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

  /** Without a mark the next start checks the file: nothing else depends on it. */
  function leave(tag: 'whole' | 'damaged'): void {
    try {
      writeMark(file, tag);
    } catch (error) {
      log.warn({ err: error, file }, 'the database is closed, but no mark could be left that it is');
    }
  }
}
