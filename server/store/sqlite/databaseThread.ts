/** Entry of a database thread: waits for `open`, opens the database, and answers one call after another until `close`. */
import { parentPort, workerData } from 'node:worker_threads';
import { useKinds } from '../../../shared/kinds.ts';
import { assertNever } from '../../../shared/never.ts';
import { Unusable } from '../port.ts';
import {
  type CallMessage,
  callsOn,
  type FromDatabase,
  type Reply,
  type ThreadData,
  type ToDatabase,
} from './calls.ts';
import { checkpointsOn } from './checkpoints.ts';
import { closeWriter, Damaged, epochOf, openReader, openWriter } from './connections.ts';
import { type FaultKind, faultKind, SQLITE, sqliteCode } from './faults.ts';
import { Moved, watchMove } from './movedFile.ts';
import { readingOn } from './rows.ts';

const { file, role, isKnownWhole, kinds } = workerData as ThreadData;
const port = parentPort!;
useKinds(kinds); // this thread has its own instance of the module

port.once('message', open);

function open(): void {
  try {
    serve(role === 'writer' ? writer() : reader());
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    post({ tag: 'unusable', message: error.message, why: reasonOf(error) });
  }
}

function reasonOf(error: Unusable): 'damaged' | 'moved' | undefined {
  return error instanceof Damaged ? 'damaged' : error instanceof Moved ? 'moved' : undefined;
}

type ThreadConnection = ReturnType<typeof writer>;

function writer() {
  const { db, isChecked } = openWriter(file, { isKnownWhole });
  watchMove(db, file, {
    onMoving: (isMoving) => post({ tag: 'moving', isMoving }),
    onMoved: ({ message }) => post({ tag: 'moved', message }),
  });
  const around = <T>(work: () => T): T => work();
  return { db, isChecked, around, afterwards: checkpointsOn(db), close: () => closeWriter(db) };
}

function reader(): ThreadConnection {
  const db = openReader(file);
  const close = () => {
    db.close();
    return true;
  };
  return { db, isChecked: false, around: readingOn(db), afterwards: () => {}, close };
}

/** `around` wraps each call; `afterwards` runs when the replies to a message have been posted. */
function serve({ db, isChecked, around, afterwards, close }: ThreadConnection): void {
  const calls = callsOn(db);
  port.on('message', (asked: ToDatabase) => {
    switch (asked.tag) {
      case 'open':
        return; // handled above, once
      case 'close':
        return end();
      case 'calls': {
        const replies: Reply[] = [];
        const isBroken = asked.calls.some((call) => answer(call, replies) === 'broken');
        post({ tag: 'replies', replies });
        // a broken connection may have a wrong view of the file: the thread ends, and a new one opens it
        if (isBroken || faultOf(afterwards) === 'broken') end();
        return;
      }
      default:
        assertNever(asked);
    }
  });
  post({ tag: 'opened', epoch: epochOf(db), isChecked });

  /** Adds the reply to `replies`. */
  function answer({ id, group, method, args }: CallMessage, replies: Reply[]): FaultKind | undefined {
    try {
      const its = calls[group] as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
      replies.push({ tag: 'answer', id, value: around(() => its[method]!(...args)) });
      return undefined;
    } catch (error) {
      const kind = faultKind(error);
      replies.push({
        tag: 'fault',
        id,
        kind,
        isFull: sqliteCode(error) === SQLITE.FULL,
        message: error instanceof Error ? error.message : String(error),
      });
      return kind;
    }
  }

  function end(): void {
    post({ tag: 'closed', isComplete: close() });
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

function post(message: FromDatabase): void {
  port.postMessage(message);
}
