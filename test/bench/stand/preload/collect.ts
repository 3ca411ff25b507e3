/**
 * Loaded into a server that is measured: on SIGUSR2 it collects its garbage, as thoroughly as V8 can, and writes how many
 * bytes are held then, in V8's heap and outside of it, as the file `HELD`. Needs `--expose-gc`.
 */
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.HELD!;

process.on('SIGUSR2', async () => {
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc!({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await new Promise(setImmediate); // finalizers run, and leave garbage of their own
  }
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(`${file}.new`, String(heapUsed + external));
  renameSync(`${file}.new`, file);
});

const COLLECTIONS = 3;
