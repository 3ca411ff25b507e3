/**
 * Preloaded into a measured server: on SIGUSR2 it runs full garbage collections and writes the remaining bytes, in V8's heap
 * and external, into the file `HELD`. Needs `--expose-gc`.
 */
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.HELD!;

process.on('SIGUSR2', async () => {
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc!({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await new Promise(setImmediate); // finalizers run, and create new garbage
  }
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(`${file}.new`, String(heapUsed + external));
  renameSync(`${file}.new`, file);
});

const COLLECTIONS = 3;
