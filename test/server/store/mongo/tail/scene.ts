/** A fake change stream, answered by the test, and a clock that the test moves. */
import type { EntryDocument } from '../../../../../server/store/mongo/append/commands.ts';
import type { ChangeSource, Round, TailClock } from '../../../../../server/store/mongo/tail/streamLoop.ts';

/** A request to the database that waits for its answer. */
export interface Question {
  what: 'present' | 'round';
  /** For a round: where its stream was opened. */
  at: string;
  signal: AbortSignal;
  answer(value: unknown): Promise<void>;
  fail(error: Error): Promise<void>;
}

export function fakeSource() {
  const questions: Question[] = [];
  let abandoned = 0;
  let wake = () => {};

  function ask<T>(what: Question['what'], at: string, signal: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    questions.push({
      what,
      at,
      signal,
      answer(value) {
        resolve(value as T);
        return settled();
      },
      fail(error) {
        reject(error);
        return settled();
      },
    });
    wake();
    return promise;
  }

  const source: ChangeSource<EntryDocument, never> = {
    present: (signal) => ask('present', '', signal),
    open: (place) => ({
      next: (signal) => ask('round', place.tag === 'token' ? place.token : String(place.time), signal),
      abandon: () => abandoned++,
    }),
  };

  return {
    source,
    abandoned: () => abandoned,
    waiting: () => questions.length,
    /** The oldest request that was not returned yet. */
    async next(): Promise<Question> {
      while (questions.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return questions.shift()!;
    },
  };
}

export function fakeClock() {
  let time = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const clock: TailClock = {
    now: () => time,
    after(ms, callback) {
      const timer = { at: time + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    random: () => 1,
  };
  return {
    clock,
    /** The remaining milliseconds of each running timer. */
    pending: () => [...timers].map(({ at }) => at - time).sort((a, b) => a - b),
    async advance(ms: number) {
      time += ms;
      for (const timer of [...timers]) {
        if (timer.at > time || !timers.delete(timer)) continue;
        timer.callback();
      }
      await settled();
    },
  };
}

/** Resolves after all pending microtasks. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function round(token: string, ...changes: EntryDocument[]): Round<EntryDocument> {
  return { changes, token, isLast: false };
}

export function documentOf(
  room: string,
  serverOffset: number,
  more: Partial<EntryDocument> = {},
): EntryDocument {
  const common = {
    room,
    serverOffset,
    author: idOf('ada'),
    clientOffset: idOf(`${room}${serverOffset}`),
    at: 1,
  };
  return { ...common, kind: 'text', body: `${serverOffset}`, digest: 'd', ...more };
}

/** A readable id. */
export function idOf(name: string): string {
  return name.padEnd(22, 'A');
}
