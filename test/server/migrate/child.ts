/** Moves the database of a file to a MongoDB, and waits at a step until it is killed. Arguments: file, URL, step. */
import { pino } from 'pino';
import { moveDatabase } from '../../../server/migrate/moveDatabase.ts';
import { openMoveDestination } from '../../../server/store/mongo/moveDestination.ts';
import { openMoveSource } from '../../../server/store/sqlite/moveSource.ts';

const [file, url, at] = process.argv.slice(2);
const source = await openMoveSource(file!);
const log = pino({ level: 'silent' });
await moveDatabase({
  source,
  openDestination: (its) => openMoveDestination({ url: url!, log, epoch: source.epoch, ...its }),
  onProgress: () => {},
  async onStep(step) {
    if (step !== at) return;
    console.log(step);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  },
});
