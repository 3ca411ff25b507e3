import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { onStopSignal, runShutdown, type ShutdownOutcome } from '../../server/shutdown.ts';

const logger = { info: vi.fn(), error: vi.fn() };

describe('runShutdown', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('runs the steps one after another, also after one that fails', async () => {
    const done: string[] = [];
    const outcome = await runShutdown(
      [
        { name: 'first', run: async () => done.push('first') },
        { name: 'broken', run: () => Promise.reject(new Error('no')) },
        { name: 'last', run: () => done.push('last') },
      ],
      1_000,
      logger,
    );
    expect(outcome).toEqual({ tag: 'done' });
    expect(done).toEqual(['first', 'last']);
    expect(logger.error).toHaveBeenCalledWith(expect.objectContaining({ step: 'broken' }), expect.anything());
  });

  test('ends at the deadline, and names the step that was running', async () => {
    const hangs = { name: 'hangs', run: () => new Promise(() => {}) };
    const never = { name: 'never', run: vi.fn() };
    const outcome = runShutdown([hangs, never], 1_000, logger);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toEqual({ tag: 'late', step: 'hangs' });
    expect(never.run).not.toHaveBeenCalled();
  });
});

describe('onStopSignal', () => {
  test.each([
    [{ tag: 'done' } as const, 0],
    [{ tag: 'late', step: 'x' } as const, 1],
  ])('%j exits with %i', async (outcome, code) => {
    const signals = new EventEmitter();
    const exited = new Promise<number>((exit) => onStopSignal(signals, async () => outcome, exit));
    signals.emit('SIGTERM');
    expect(await exited).toBe(code);
  });

  test('a second signal exits at once', async () => {
    const signals = new EventEmitter();
    const shutdown = vi.fn(() => new Promise<ShutdownOutcome>(() => {}));
    const exited = new Promise<number>((exit) => onStopSignal(signals, shutdown, exit));
    signals.emit('SIGTERM');
    signals.emit('SIGINT');
    expect(await exited).toBe(1);
    expect(shutdown).toHaveBeenCalledTimes(1);
  });

  test('a reason that comes while it shuts down decides about the exit code', async () => {
    const signals = new EventEmitter();
    const steps = Promise.withResolvers<ShutdownOutcome>();
    const exit = Promise.withResolvers<number>();
    const stop = onStopSignal(signals, () => steps.promise, exit.resolve);
    signals.emit('SIGTERM');
    stop(78);
    steps.resolve({ tag: 'done' });
    expect(await exit.promise).toBe(78);
  });
});
