/**
 * Preloaded (`node --import`) into a process whose function calls are to be counted: a profiler in each of its threads.
 * A file `take-ID` in the folder CALLS_FOLDER asks for the calls since the last time; each thread answers with a file
 * `ID-N` of JSON, N being the number of the thread.
 */
import { renameSync, watch, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

const folder = process.env.CALLS_FOLDER;
if (folder !== undefined) count(folder);

function count(folder: string): void {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const take = (id: string) =>
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      const path = join(folder, `${id}-${threadId}`);
      writeFileSync(`${path}.part`, JSON.stringify(error ? [] : coverage.result));
      renameSync(`${path}.part`, path);
    });
  watch(folder, { persistent: false }, (_, name) => {
    if (name?.startsWith('take-')) take(name.slice('take-'.length));
  });
  writeFileSync(join(folder, `thread-${threadId}`), '');
}
