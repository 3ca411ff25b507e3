/**
 * Preloaded (`node --import`) into a server that scripts/filesOfAText.ts measures, in each of its threads: counts the calls of
 * every function, and instruments the modules (textPath.ts). A file `take-ID` in the folder CALLS_FOLDER asks for the
 * results since the last time; its content is the text to look for from then on. Each thread answers with a file `ID-N` of
 * JSON, N being the number of the thread.
 */
import { readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';
import { installTextPath, instrument } from './textPath.ts';
import { ROOT } from './tools.ts';

export interface ThreadCalls {
  scripts: {
    url: string;
    functions: { functionName: string; ranges: { startOffset: number; count: number }[] }[];
  }[];
  textPath: string[];
}

const folder = process.env.CALLS_FOLDER;
if (folder !== undefined) {
  instrumentModules();
  answer(folder);
}

function instrumentModules(): void {
  installTextPath();
  registerHooks({
    load(url, context, next) {
      const file = url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : '';
      if (!/^(?:server|shared)\/.*\.ts$/.test(file)) return next(url, context);
      const code = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'));
      return { format: 'module', source: instrument(code, file), shortCircuit: true };
    },
  });
}

function answer(folder: string): void {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const take = (id: string) =>
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      const calls: ThreadCalls = {
        scripts: error ? [] : coverage.result,
        textPath: globalThis.textPath!.files(),
      };
      globalThis.textPath!.expect(readFileSync(join(folder, `take-${id}`), 'utf8'));
      const path = join(folder, `${id}-${threadId}`);
      writeFileSync(`${path}.part`, JSON.stringify(calls));
      renameSync(`${path}.part`, path);
    });
  watch(folder, { persistent: false }, (_, name) => {
    if (name?.startsWith('take-') && !name.endsWith('.part')) take(name.slice('take-'.length));
  });
  writeFileSync(join(folder, `thread-${threadId}`), '');
}
