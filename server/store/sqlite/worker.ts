/** The database's thread: opens the file, then answers one call after another until it is told to close. */
import { parentPort, workerData } from 'node:worker_threads';
import { type KindRule, useKinds } from '../../../shared/kinds.ts';
import { Unusable } from '../port.ts';
import { callsOn, type FromDatabase, type ToDatabase } from './calls.ts';
import { closeDatabase, epochOf, openDatabase } from './database.ts';
import { faultKind } from './faults.ts';

const { file, kinds } = workerData as { file: string; kinds: ReadonlyMap<string, KindRule> };
const port = parentPort!;
useKinds(kinds); // the main thread's, of which this thread has modules of its own

try {
  serve(openDatabase(file));
} catch (error) {
  if (!(error instanceof Unusable)) throw error;
  say({ tag: 'unusable', message: error.message });
}

function serve(db: ReturnType<typeof openDatabase>): void {
  const calls = callsOn(db);
  port.on('message', (asked: ToDatabase) => {
    if (asked.tag === 'close') return end();
    try {
      const group = calls[asked.group] as Record<string, (...args: readonly unknown[]) => unknown>;
      say({ tag: 'answer', id: asked.id, value: group[asked.method]!(...asked.args) });
    } catch (error) {
      const kind = faultKind(error);
      say({
        tag: 'fault',
        id: asked.id,
        kind,
        message: error instanceof Error ? error.message : String(error),
      });
      if (kind === 'broken') end(); // what this connection believes of the file is not to be trusted any more
    }
  });
  say({ tag: 'opened', epoch: epochOf(db) });

  function end(): void {
    closeDatabase(db);
    port.close();
  }
}

function say(message: FromDatabase): void {
  port.postMessage(message);
}
