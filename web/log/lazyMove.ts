/** What moves an older version's log is a chunk of its own: an app needs it once, and most never do. */
import type { Mover, MoverDeps } from './moveLog.ts';

export interface LazyMover {
  /** Looks whether there is something to move, and begins with it. Rejects where the database cannot be read. */
  begin(): Promise<void>;
  /** As `Mover.newest`; rejects where the chunk cannot be fetched, which is tried again the next time. */
  newest(): Promise<void>;
  /** How much of what there was is moved, 0 to 99; undefined where it takes but a moment, and once all is. */
  percent(): number | undefined;
  close(): void;
}

export function createLazyMover(deps: Omit<MoverDeps, 'left'> & { progressed(): void }): LazyMover {
  /** Entries that were to be moved after the first slice, and those that still are. */
  let progress: { all: number; left: number } | undefined;
  let isNeeded = false;
  let closed = false;
  let loading: Promise<Mover> | undefined;

  function load(): Promise<Mover> {
    loading ??= import('./moveLog.ts').then(
      ({ createMover }) => {
        const mover = createMover({ ...deps, left });
        if (closed) mover.close();
        return mover;
      },
      (error) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  }

  function left(count: number): void {
    progress = count === 0 ? undefined : { all: progress?.all ?? count, left: count };
    deps.progressed();
  }

  return {
    percent: () => progress && Math.min(99, Math.floor(100 * (1 - progress.left / progress.all))),
    async begin() {
      isNeeded = await deps.db.read(['spans', 'loose'], async (tx) => {
        const counts = [tx.objectStore('spans').count(), tx.objectStore('loose').count()];
        return (await Promise.all(counts)).some((count) => count > 0);
      });
      if (isNeeded) load().catch((error) => console.warn('what moves the log could not be fetched', error));
    },
    async newest() {
      if (isNeeded) await (await load()).newest;
    },
    close() {
      closed = true;
      loading?.then(
        (mover) => mover.close(),
        () => {},
      );
    },
  };
}
