/**
 * Moves the logs that an older version of the app stored into today's stores, if there are any.
 */
import { createMover, type Mover, type MoverDeps } from '../log/store/migrateLog.ts';

export interface LogMigration {
  /**
   * As `Mover.newest`. Rejects where the database cannot be read; the next call tries again.
   */
  newest(): Promise<void>;
  /** How much is moved, 0 to 99; undefined where a single slice is enough, and once all is moved. */
  percent(): number | undefined;
  close(): void;
}

/** Starts at once. */
export function createLogMigration(deps: Omit<MoverDeps, 'left'> & { progressed(): void }): LogMigration {
  /** Entries that were to be moved after the first slice, and those that still are. */
  let progress: { all: number; left: number } | undefined;
  let mover: Mover | undefined;
  let closed = false;

  const start = untilItWorks(async () => {
    if (!(await isNeeded(deps))) return;
    mover = createMover({ ...deps, left });
    if (closed) mover.close();
  });

  function left(count: number): void {
    progress = count === 0 ? undefined : { all: progress?.all ?? count, left: count };
    deps.progressed();
  }

  start().catch((error) => {
    if (!closed) console.warn('the migration of older logs could not start', error);
  });

  return {
    percent: () => progress && Math.min(99, Math.floor(100 * (1 - progress.left / progress.all))),
    async newest() {
      await start();
      await mover?.newest;
    },
    close() {
      closed = true;
      mover?.close();
    },
  };
}

async function isNeeded({ db }: Pick<MoverDeps, 'db'>): Promise<boolean> {
  return db.read(['spans', 'loose'], async (tx) => {
    const counts = [tx.objectStore('spans').count(), tx.objectStore('loose').count()];
    return (await Promise.all(counts)).some((count) => count > 0);
  });
}

/** Calls share one run of `work`; after a run that failed, the next call starts another. */
function untilItWorks(work: () => Promise<void>): () => Promise<void> {
  let run: Promise<void> | undefined;
  return () => {
    run ??= work().catch((error) => {
      run = undefined;
      throw error;
    });
    return run;
  };
}
