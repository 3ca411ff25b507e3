/** A thread that has the database open: it answers one call after another, from when it is told to open until to close. */
import { parentPort, workerData } from 'node:worker_threads';
import { useKinds } from '../../../shared/kinds.ts';
import { assertNever } from '../../../shared/never.ts';
import { Unusable } from '../port.ts';
import { callsOn, type FromDatabase, type ThreadData, type ToDatabase } from './calls.ts';
import { checkpointsOn } from './checkpoints.ts';
import { closeDatabase, Damaged, epochOf, openDatabase, openReader } from './database.ts';
import { type FaultKind, faultKind } from './faults.ts';
import { readingOn } from './query.ts';

const { file, role, isKnownWhole, kinds } = workerData as ThreadData;
const port = parentPort!;
useKinds(kinds); // the main thread's, of which this thread has modules of its own

port.once('message', open);

function open(): void {
  try {
    serve(role === 'writer' ? writer() : reader());
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    say({ tag: 'unusable', message: error.message, isDamaged: error instanceof Damaged });
  }
}

type Connection = ReturnType<typeof writer>;

function writer() {
  const { db, isChecked } = openDatabase(file, { isKnownWhole });
  const around = <T>(work: () => T): T => work();
  return { db, isChecked, around, afterwards: checkpointsOn(db), close: () => closeDatabase(db) };
}

function reader(): Connection {
  const db = openReader(file);
  const close = () => {
    db.close();
    return true;
  };
  return { db, isChecked: false, around: readingOn(db), afterwards: () => {}, close };
}

/** `around` is put around each call; `afterwards` is done when its answer has left. */
function serve({ db, isChecked, around, afterwards, close }: Connection): void {
  const calls = callsOn(db);
  port.on('message', (asked: ToDatabase) => {
    switch (asked.tag) {
      case 'open':
        return; // heard above
      case 'close':
        return end();
      case 'call':
        // what a broken connection believes of the file is not to be trusted any more
        if ((answer(asked) ?? faultOf(afterwards)) === 'broken') end();
        return;
      default:
        assertNever(asked);
    }
  });
  say({ tag: 'opened', epoch: epochOf(db), isChecked });

  function answer({ id, group, method, args }: Extract<ToDatabase, { tag: 'call' }>): FaultKind | undefined {
    try {
      const its = calls[group] as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
      say({ tag: 'answer', id, value: around(() => its[method]!(...args)) });
      return undefined;
    } catch (error) {
      const kind = faultKind(error);
      say({ tag: 'fault', id, kind, message: error instanceof Error ? error.message : String(error) });
      return kind;
    }
  }

  function end(): void {
    say({ tag: 'closed', isComplete: close() });
    port.close();
  }
}

function faultOf(work: () => void): FaultKind | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return faultKind(error);
  }
}

function say(message: FromDatabase): void {
  port.postMessage(message);
}
