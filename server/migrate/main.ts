/**
 * The command `npm run migrate -- --to mongodb://…`: moves a SQLite database to a MongoDB, also while the server uses it. It reads
 * the server's settings. It may be stopped at any moment, and called again.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseEnv } from '../base/env.ts';
import { EX_USAGE } from '../base/exitCodes.ts';
import { createLogger } from '../base/logger.ts';
import { runCommand } from '../store/runCommand.ts';
import { explainingErrors } from '../store/sqlite/databaseFiles.ts';
import { PRIVATE_UMASK } from '../store/sqlite/fileModes.ts';
import { openMoveSource } from '../store/sqlite/moveSource.ts';
import { moveDatabase, NOTICED_WITHIN_MS } from './moveDatabase.ts';
import { createProgressBar } from './progressBar.ts';

const USAGE = `Usage: npm run migrate -- --to mongodb://HOST/NAME   moves the database of DATA to that MongoDB
       MONGODB_URL=… npm run migrate                   the same; no password is on the command line
       npm run migrate -- --cancel                     gives up a move that has not ended`;

process.umask(PRIVATE_UMASK);
await runCommand(run);

async function run(): Promise<void> {
  const asked = askedFor(process.argv.slice(2));
  if (!asked) {
    console.error(USAGE);
    process.exitCode = EX_USAGE;
    return;
  }
  const { DATA } = process.env; // other settings belong to the server only, and may be secret
  const { data, mongodbUrl } = parseEnv({ DATA, MONGODB_URL: asked.to });
  await explainingErrors(data, () => moveFrom(join(data, 'holdfast.db'), asked.cancels, mongodbUrl));
}

async function moveFrom(file: string, cancels: boolean, url: string | undefined): Promise<void> {
  const source = await openMoveSource(file);
  try {
    if (cancels) {
      source.cancel();
      console.log(
        'The move is given up; the file is an ordinary one. Drop the database that was being filled.',
      );
    } else await move(source, url!);
  } finally {
    source.close();
  }
}

/** Undefined where the command line is wrong. */
function askedFor(args: string[]): { to: string | undefined; cancels: boolean } | undefined {
  try {
    const options = { to: { type: 'string' }, cancel: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args, options });
    const to = values.to ?? (process.env.MONGODB_URL?.trim() || undefined);
    if (values.cancel) return { to: undefined, cancels: true };
    return to === undefined ? undefined : { to, cancels: false };
  } catch {
    return undefined;
  }
}

async function move(source: Awaited<ReturnType<typeof openMoveSource>>, url: string): Promise<void> {
  const { openMoveDestination } = await import('../store/mongo/moveDestination.ts');
  const bar = createProgressBar(process.stderr, () => performance.now());
  const log = createLogger('warn');
  try {
    const { place, entries, rooms, pausedMs } = await moveDatabase({
      source,
      openDestination: (its) => openMoveDestination({ url, log, epoch: source.epoch, ...its }),
      onProgress: bar.show,
      noticedWithinMs: NOTICED_WITHIN_MS,
    });
    bar.end();
    const pause = pausedMs > 0 ? ` Nothing could be written for ${Math.ceil(pausedMs)} ms.` : '';
    console.log(
      `${source.file} was moved to ${place}: ${entries.toLocaleString('en')} entries in ${rooms.toLocaleString('en')} rooms.${pause}`,
    );
    console.log(
      'A server that ran on the file ends by itself. Start it again with MONGODB_URL set: apps reconnect, and nobody signs in again.',
    );
  } finally {
    bar.end();
  }
}
