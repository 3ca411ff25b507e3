/**
 * Hears of every change of a collection for as long as it is not closed, whatever becomes of the stream: opens it, reads
 * round after round, notices when it stalls, and opens it anew at the place that it had reached. Handed its clock and
 * its source, so that its tests need neither a database nor waiting.
 */
import { afterFailure, Ended, failureOf, Missing, NO_FAILURES, Stalled } from './tailFailure.ts';
import type { Place } from './tailPlace.ts';

export interface ChangeSource<Change, Time> {
  /** A moment with everything before it that was acknowledged by now, and after it everything that is committed later. */
  present(signal: AbortSignal): Promise<Time>;
  open(from: Exclude<Place<Time>, { tag: 'present' }>): Rounds<Change>;
}

export interface Rounds<Change> {
  /** The first answers the opening. Every other ends within about a second, also when nothing happens. */
  next(signal: AbortSignal): Promise<Round<Change>>;
  /** Waits for nobody. */
  abandon(): void;
}

export interface Round<Change> {
  changes: Change[];
  /** After which the next round begins. */
  token: string;
  /** The collection was dropped or renamed: nothing comes any more. */
  isLast: boolean;
}

export interface Clock {
  /** Calls back after so many milliseconds, unless what it returns is called before. */
  after(ms: number, callback: () => void): () => void;
  /** From 0 to 1. */
  random(): number;
}

interface Deps<Change, Time> {
  source: ChangeSource<Change, Time>;
  clock: Clock;
  /** The stream is open, for the first time or again. After a gap, what came meanwhile was not heard. */
  onOpen(afterGap: boolean): void;
  onRound(round: Round<Change>): void;
  /** True where something was acknowledged long ago that no round has brought. Asked when there was nothing more. */
  isMissing(): boolean;
  onFailure(error: unknown, nextFrom: 'same' | 'present'): void;
}

export interface TailLoop {
  /** Resolves when the stream is open the first time; rejects with why it cannot be opened, and all is over. */
  opened: Promise<void>;
  isLive(): boolean;
  close(): void;
}

/** So long without the end of a round, and the stream is taken for dead. */
export const STALL_MS = 5_000;
const FIRST_TRIES = 3;

/** `afterGap`: whoever asks for this place believes to have heard more than it will bring. */
export function startLoop<Change, Time>(
  start: { place: Place<Time>; afterGap: boolean },
  { source, clock, onOpen, onRound, isMissing, onFailure }: Deps<Change, Time>,
): TailLoop {
  const opened = Promise.withResolvers<void>();
  let state: 'opening' | 'live' | 'reopening' | 'closed' = 'opening';
  let { place } = start;
  let failures = NO_FAILURES;
  /** Told when the stream is open behind the gap: who then looks what there is, sees all that it swallowed. */
  let owesGap = start.afterGap;
  let attempt = new AbortController();
  let wake = () => {};

  async function run() {
    while (!isClosed()) {
      const error = await hear().catch((error: unknown) => error);
      if (isClosed()) return;
      const next = afterFailure(failures, failureOf(error), place, clock.random());
      failures = next.failures;
      if (state === 'opening' && failures.inARow === FIRST_TRIES) return giveUp(error);
      if (state === 'live') state = 'reopening';
      if (next.from === 'present') {
        place = { tag: 'present' };
        owesGap = true;
      }
      onFailure(error, next.from);
      if (next.waitMs > 0) await pause(next.waitMs);
    }
  }

  /** One stream, from its opening to its failure. */
  async function hear(): Promise<never> {
    attempt = new AbortController();
    const { signal } = attempt;
    if (place.tag === 'present') place = { tag: 'time', time: await inTime(source.present(signal)) };
    const rounds = source.open(place);
    try {
      const first = await inTime(rounds.next(signal));
      state = 'live';
      onOpen(owesGap);
      owesGap = false;
      opened.resolve();
      take(first);
      for (;;) {
        const round = await inTime(rounds.next(signal));
        take(round);
        if (round.changes.length === 0 && isMissing())
          throw new Missing('an acknowledged entry was not heard');
        failures = { ...failures, inARow: 0 }; // not after the first: what opens and then fails must not spin
      }
    } finally {
      attempt.abort();
      rounds.abandon();
    }
  }

  function take(round: Round<Change>) {
    place = { tag: 'token', token: round.token };
    if (round.changes.length > 0 && !isClosed()) onRound(round);
    if (round.isLast)
      throw new Ended('the log was dropped or renamed: where a backup was put back, restart every server');
  }

  /** What takes too long is left alone, and its connection with it. */
  async function inTime<T>(work: Promise<T>): Promise<T> {
    const { signal } = attempt;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
    const callOff = clock.after(STALL_MS, () => attempt.abort(new Stalled('the change stream is silent')));
    work.then(resolve, reject);
    try {
      signal.throwIfAborted();
      const done = await promise;
      signal.throwIfAborted(); // it may have come just before, and be looked at just after
      return done;
    } finally {
      callOff();
      signal.removeEventListener('abort', stop);
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const callOff = clock.after(ms, resolve);
      wake = () => {
        callOff();
        resolve();
      };
    });
  }

  const isClosed = () => state === 'closed';

  function close() {
    state = 'closed';
    attempt.abort();
    wake();
    opened.resolve();
  }

  function giveUp(error: unknown) {
    opened.reject(error);
    close();
  }

  void run();
  return { opened: opened.promise, isLive: () => state === 'live', close };
}
