/** Orderly shutdown: named steps, one after another, within one deadline for all of them. */
import type { Logger } from './base/logger.ts';

export interface ShutdownStep {
  name: string;
  run(): Promise<unknown> | unknown;
}

/** `late`: the deadline passed while this step was running. */
export type ShutdownOutcome = { tag: 'done' } | { tag: 'late'; step: string };

/** A failed step is logged, and the next ones still run. Never rejects. */
export async function runShutdown(
  steps: readonly ShutdownStep[],
  withinMs: number,
  logger: Pick<Logger, 'info' | 'error'>,
): Promise<ShutdownOutcome> {
  let current = '';
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ShutdownOutcome>((resolve) => {
    timer = setTimeout(() => resolve({ tag: 'late', step: current }), withinMs);
  });
  const all = async (): Promise<ShutdownOutcome> => {
    for (const step of steps) {
      current = step.name;
      try {
        await step.run();
        logger.info({ step: step.name }, 'shutdown step done');
      } catch (error) {
        logger.error({ err: error, step: step.name }, 'shutdown step failed');
      }
    }
    return { tag: 'done' };
  };
  const outcome = await Promise.race([all(), late]);
  clearTimeout(timer);
  return outcome;
}

/** The part of `process` that is used here. */
export interface Signals {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
}

/**
 * The first SIGTERM or SIGINT runs `shutdown` and exits with 0, or with 1 if it was late. A second signal exits at once.
 * Returns a function that shuts down for another reason and exits with the given code; a shutdown that is running already
 * goes on, and exits with that code.
 */
export function onStopSignal(
  signals: Signals,
  shutdown: () => Promise<ShutdownOutcome>,
  exit: (code: number) => void,
): (code: number) => void {
  let stopping = false;
  let reason = 0;
  const stop = (code: number) => {
    reason ||= code;
    if (stopping) return;
    stopping = true;
    void shutdown().then(({ tag }) => exit(tag === 'done' ? reason : reason || 1));
  };
  const onSignal = () => (stopping ? exit(reason || 1) : stop(0));
  signals.on('SIGTERM', onSignal);
  signals.on('SIGINT', onSignal);
  return stop;
}
