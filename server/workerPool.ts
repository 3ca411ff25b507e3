/**
 * The worker processes of one primary: starts them, starts those again that end, replaces them one by one, and stops them all.
 * Forking and time come in as arguments.
 */
import type { Logger } from './base/logger.ts';
import {
  STOPPED_WITHIN_MS,
  WORKER_RESTART_FIRST_MS,
  WORKER_RESTART_MAX_MS,
  WORKER_STEADY_AFTER_MS,
} from './base/serverLimits.ts';

/** One process. */
export interface Worker {
  readonly id: number;
  /** Resolves when it can handle connections; never if it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface WorkerPool {
  /** Starts one, and the others when it is ready. Resolves with the exit code where the first one ends instead. */
  start(): Promise<{ tag: 'ready' } | { tag: 'ended'; code: number | null }>;
  /** Those that are ready and are not stopping. */
  ready(): Worker[];
  /**
   * Replaces all workers, one after another: the next when the new one is ready and the old one has ended. Waits for the start.
   */
  roll(): Promise<void>;
  /** Resolves with true if all ended by themselves. */
  stop(): Promise<boolean>;
}

interface Options {
  count: number;
  fork: () => Worker;
  logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

/** `replaced`: it ends because another one has taken its place, so it is not started again. */
interface Slot {
  worker: Worker;
  state: 'starting' | 'ready' | 'replaced';
  since: number;
  /** How often in a row the worker of this place did not live long. */
  failures: number;
  /** While another one starts, which takes its place: until that is ready, none begins for one that ends. */
  hasSuccessor: boolean;
  /** Once it is told to end: a second SIGTERM would end it at once. */
  ending?: Promise<boolean>;
}

export function createWorkerPool({
  count,
  fork,
  logger,
  now = () => performance.now(),
}: Options): WorkerPool {
  const slots = new Set<Slot>();
  const timers = new Set<NodeJS.Timeout>();
  let isStopping = false;
  let rolling: Promise<void> | undefined;
  let isRollWanted = false;
  const started = Promise.withResolvers<void>();

  function begin(failures: number): Slot {
    const slot: Slot = { worker: fork(), state: 'starting', since: now(), failures, hasSuccessor: false };
    slots.add(slot);
    const { worker } = slot;
    void worker.ready.then(() => {
      if (slot.state === 'starting') slot.state = 'ready';
      logger.info({ worker: worker.id }, 'worker ready');
    });
    void worker.ended.then((how) => {
      slots.delete(slot);
      logger[isStopping || slot.state === 'replaced' ? 'info' : 'error'](
        { worker: worker.id, ...how },
        'worker ended',
      );
    });
    return slot;
  }

  /** Keeps a place filled: when its worker ends, another one begins, later each time unless it has lived for long. */
  function keep(slot: Slot): void {
    void slot.worker.ended.then(() => {
      if (slot.state !== 'replaced' && !slot.hasSuccessor) refill(slot);
    });
  }

  function refill(slot: Slot): void {
    if (isStopping) return;
    const failures = now() - slot.since >= WORKER_STEADY_AFTER_MS ? 0 : slot.failures;
    const delay = Math.min(WORKER_RESTART_MAX_MS, WORKER_RESTART_FIRST_MS * 2 ** failures);
    logger.warn({ worker: slot.worker.id, afterMs: delay }, 'another worker takes its place');
    const timer = setTimeout(() => {
      timers.delete(timer);
      keep(begin(failures + 1));
    }, delay);
    timers.add(timer);
  }

  const isReady = ({ worker }: Slot) =>
    Promise.race([worker.ready.then(() => true), worker.ended.then(() => false)]);

  /** SIGTERM, and SIGKILL where that is not enough. Resolves with true if the first was. */
  function end(slot: Slot): Promise<boolean> {
    slot.ending ??= endNow(slot);
    return slot.ending;
  }

  async function endNow({ worker }: Slot): Promise<boolean> {
    worker.kill('SIGTERM');
    let isKilled = false;
    const timer = setTimeout(() => {
      isKilled = true;
      worker.kill('SIGKILL');
    }, STOPPED_WITHIN_MS);
    const { code, signal } = await worker.ended;
    clearTimeout(timer);
    // the signal itself ends one that has no handler yet, and nothing to finish
    return !isKilled && (code === 0 || signal === 'SIGTERM');
  }

  async function replaceAll(): Promise<void> {
    for (const old of [...slots]) {
      if (isStopping) return;
      if (!slots.has(old)) continue; // it has ended by itself: the one in its place is new
      old.hasSuccessor = true;
      const next = begin(0);
      if (!(await isReady(next))) {
        old.hasSuccessor = false;
        if (isStopping) return;
        logger.error('The workers are not replaced any further, since a new one ended before it was ready.');
        if (!slots.has(old)) refill(old);
        return;
      }
      keep(next);
      if (isStopping) return;
      old.state = 'replaced';
      if (slots.has(old)) await end(old);
    }
  }

  return {
    async start() {
      const first = begin(0);
      const isUp = await isReady(first);
      if (!isUp) return { tag: 'ended', code: (await first.worker.ended).code };
      keep(first);
      for (let nth = 1; nth < count && !isStopping; nth++) keep(begin(0));
      started.resolve();
      return { tag: 'ready' };
    },
    ready: () => [...slots].filter(({ state }) => state === 'ready').map(({ worker }) => worker),
    roll() {
      isRollWanted = true;
      rolling ??= (async () => {
        await started.promise;
        while (isRollWanted && !isStopping) {
          isRollWanted = false;
          await replaceAll();
        }
        rolling = undefined;
      })();
      return rolling;
    },
    async stop() {
      isStopping = true;
      for (const timer of timers) clearTimeout(timer);
      const outcomes = await Promise.all([...slots].map(end));
      return outcomes.every(Boolean);
    },
  };
}
