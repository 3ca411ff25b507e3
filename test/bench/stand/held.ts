/** The memory of a server after a garbage collection: requested by a signal, answered in a file. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';

export interface Held extends AsyncDisposable {
  /** Environment and Node options for the measured servers. */
  env: Record<string, string>;
  nodeOptions: readonly string[];
  /** Bytes of V8's heap and external memory. One process at a time. */
  bytesIn(pid: number): Promise<number>;
}

export async function askHeld(): Promise<Held> {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'held');
  return {
    env: { HELD: file },
    nodeOptions: ['--expose-gc', '--import', new URL('./preload/collect.ts', import.meta.url).href],
    async bytesIn(pid) {
      await rm(file, { force: true });
      process.kill(pid, 'SIGUSR2');
      return Number(
        await waitFor('the server reports its memory', () => readFile(file, 'utf8').catch(() => undefined)),
      );
    },
    [Symbol.asyncDispose]: folder.remove,
  };
}
