/**
 * The control loop of a change stream: opens it, reads round after round, notices when it stalls, and reopens it until it is
 * closed. It reopens at the position that it had reached. If that position cannot be used or takes too long, or the stream
 * has not brought an acknowledged entry, it reopens at the present, with a gap. Clock and source are arguments, so that tests need no database and no waiting.
 */
import {
  afterFailure,
  EntryMissing,
  failureOf,
  NO_FAILURES,
  StreamEnded,
  type StreamPosition,
  StreamStalled,
  stallAfterMs,
} from './streamFailure.ts';

export interface ChangeSource<Change, Time> {
  /** A time: every write acknowledged before this call lies before it, every later commit after it. */
  present(signal: AbortSignal): Promise<Time>;
  open(from: Exclude<StreamPosition<Time>, { tag: 'present' }>): Rounds<Change>;
}

export interface Rounds<Change> {
  /** The first round answers the opening. Every later one ends within about a second, also when nothing changed. */
  next(signal: AbortSignal): Promise<Round<Change>>;
  /** Releases the cursor in the background. */
  abandon(): void;
}

export interface Round<Change> {
  changes: Change[];
  /** Resume token: the next round begins after it. */
  token: string;
  /** The collection was dropped or renamed: no round follows. */
  isLast: boolean;
}

export interface TailClock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Calls back after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** From 0 to 1. */
  random(): number;
}

interface Deps<Change, Time> {
  source: ChangeSource<Change, Time>;
  clock: Pick<TailClock, 'after' | 'random'>;
  /** The stream was opened or reopened. `afterGap`: changes may have been skipped before its new position. */
  onOpen(afterGap: boolean): void;
  onRound(round: Round<Change>): void;
  /** True where an entry was acknowledged long ago and no round has brought it. Asked after an empty round. */
  isMissing(): boolean;
  onFailure(error: unknown, nextFrom: 'same' | 'present'): void;
}

export interface StreamLoop {
  /** Resolves when the stream is open for the first time. Rejects when it cannot be opened; the loop has then ended. */
  opened: Promise<void>;
  isLive(): boolean;
  close(): void;
}

const FIRST_TRIES = 3;

/** `afterGap`: true where the caller resumes from a point that cannot be used, so that changes are skipped. */
export function startStreamLoop<Change, Time>(
  start: { position: StreamPosition<Time>; afterGap: boolean },
  { source, clock, onOpen, onRound, isMissing, onFailure }: Deps<Change, Time>,
): StreamLoop {
  const opened = Promise.withResolvers<void>();
  let state: 'opening' | 'live' | 'reopening' | 'closed' = 'opening';
  let { position } = start;
  let failures = NO_FAILURES;
  /** The gap is reported after the reopening, so that one catch-up read finds everything that was skipped. */
  let owesGap = start.afterGap;
  let attempt = new AbortController();
  let wake = () => {};

  async function run() {
    while (!isClosed()) {
      const error = await readUntilFailure().catch((error: unknown) => error);
      if (isClosed()) return;
      const next = afterFailure(failures, failureOf(error), position, clock.random());
      failures = next.failures;
      if (state === 'opening' && failures.inARow === FIRST_TRIES) return giveUp(error);
      if (state === 'live') state = 'reopening';
      if (next.from === 'present') {
        position = { tag: 'present' };
        owesGap = true;
      }
      onFailure(error, next.from);
      if (next.waitMs > 0) await pause(next.waitMs);
    }
  }

  /** One stream, from its opening to its failure. */
  async function readUntilFailure(): Promise<never> {
    attempt = new AbortController();
    const { signal } = attempt;
    if (position.tag === 'present') position = { tag: 'time', time: await inTime(source.present(signal)) };
    const rounds = source.open(position);
    try {
      const first = await inTime(rounds.next(signal));
      state = 'live';
      onOpen(owesGap);
      owesGap = false;
      opened.resolve();
      accept(first);
      for (;;) {
        const round = await inTime(rounds.next(signal));
        accept(round);
        if (round.changes.length === 0 && isMissing())
          throw new EntryMissing('the change stream did not bring an acknowledged entry');
        failures = { ...failures, inARow: 0, stalls: 0, stalledAt: undefined }; // not after the first: a stream that opens and then fails must back off
      }
    } finally {
      attempt.abort();
      rounds.abandon();
    }
  }

  function accept(round: Round<Change>) {
    position = { tag: 'token', token: round.token };
    if (round.changes.length > 0 && !isClosed()) onRound(round);
    if (round.isLast)
      throw new StreamEnded('the log was dropped or renamed: if a backup was restored, restart every server');
  }

  /** Rejects with `StreamStalled` where `work` takes too long; its connection is aborted. */
  async function inTime<T>(work: Promise<T>): Promise<T> {
    const { signal } = attempt;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
    const cancel = clock.after(stallAfterMs(failures), () =>
      attempt.abort(new StreamStalled('the change stream is silent')),
    );
    work.then(resolve, reject);
    try {
      signal.throwIfAborted();
      const done = await promise;
      signal.throwIfAborted(); // the answer may arrive just before the abort and be seen just after it
      return done;
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      wake = () => {
        cancel();
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
