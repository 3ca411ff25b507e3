/**
 * The time of all processes of one database: that of the machine, unless it is far from that of the database's primary. Codes
 * of ten minutes, invitations and the times beside messages would otherwise depend on which process one has come to.
 *
 * Between two comparisons the time goes on by the monotonic clock. So nothing jumps when the machine's clock is set, right or
 * wrong: that is noticed by the next reader of the time, and the clocks are compared at once.
 *
 * There is no clock before the first comparison, which is part of connecting (connect.ts): a process whose clock is an hour
 * ahead must not give that time to an entry, since every later entry of the room would have it too.
 */
import type { Db, Document } from 'mongodb';
import type { Logger } from 'pino';

export interface DatabaseClock {
  /** In ms since 1970. */
  now(): number;
  close(): void;
}

/** What one answer of the database says of the clocks. */
export interface ClockReading {
  /** The answer to `hello`; `localTime` is the database's time. */
  hello: Document;
  /** By the monotonic clock. */
  asked: number;
  answered: number;
  /** What the machine's clock was ahead of the monotonic one. */
  machineBase: number;
}

interface MachineClocks {
  /** The machine's. */
  machine?: () => number;
  /** A monotonic clock in milliseconds. */
  ticks?: () => number;
}

interface Deps extends MachineClocks {
  first: ClockReading;
  db: Pick<Db, 'command'>;
  pass: <T>(work: () => Promise<T>) => Promise<T>;
  log: Pick<Logger, 'warn'>;
}

const EVERY_MS = 30_000;
/** Smaller differences are left alone: machines with a time service differ by less. */
const LEFT_ALONE_MS = 5_000;
/** The machine's clock was set, or the machine was suspended, if it has gone by so much more or less than the monotonic one. */
const SET_MS = 1_000;
/** Between two comparisons that readers of the time cause, while the database does not answer. */
const AT_ONCE_EVERY_MS = 1_000;

/** `sayHello` sends the command `hello` to the primary. */
export async function readClocks(
  sayHello: () => Promise<Document>,
  { machine = Date.now, ticks = () => performance.now() }: MachineClocks = {},
): Promise<ClockReading> {
  const asked = ticks();
  const hello = await sayHello();
  return { hello, asked, answered: ticks(), machineBase: machine() - ticks() };
}

export function watchClock({
  first,
  db,
  pass,
  log,
  machine = Date.now,
  ticks = () => performance.now(),
}: Deps): DatabaseClock {
  /** What the machine's clock was ahead of the monotonic one at the last comparison. */
  let { machineBase } = first;
  /** The same of the time that is given out. */
  let base = machineBase;
  let aheadMs = 0;
  let comparing: Promise<void> | undefined;
  let comparedAt = first.answered;
  let timer: NodeJS.Timeout | undefined;

  function learn(reading: ClockReading): void {
    const { hello, asked, answered } = reading;
    if (!(hello.localTime instanceof Date)) return;
    machineBase = reading.machineBase;
    const databaseBase = hello.localTime.getTime() - (asked + answered) / 2;
    const difference = machineBase - databaseBase;
    const far = Math.abs(difference) - LEFT_ALONE_MS;
    if (far > 0 && far <= answered - asked) return; // the answer came too late to tell
    if (far <= 0) {
      base = machineBase;
      report(0);
    } else {
      if (Math.abs(base - databaseBase) >= LEFT_ALONE_MS) base = databaseBase; // kept while it is right: no jump
      report(difference);
    }
  }

  function report(next: number): void {
    if (Math.abs(next - aheadMs) < LEFT_ALONE_MS) return;
    aheadMs = next;
    log.warn(
      { seconds: Math.round(Math.abs(aheadMs) / 1_000) },
      aheadMs === 0
        ? 'The clock of this machine is right again.'
        : `The clock of this machine is ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the database, which is used instead: set it right, or use a time service (NTP).`,
    );
  }

  /** One at a time. */
  function compare(): Promise<void> {
    if (comparing) return comparing;
    comparedAt = ticks();
    // the answer's time counts from when its turn has come
    comparing = pass(() => readClocks(() => db.command({ hello: 1 }), { machine, ticks }))
      .then(learn)
      .catch(() => {}) // the database is away, which other calls report
      .finally(() => {
        comparing = undefined;
      });
    return comparing;
  }

  function lookLater(): void {
    timer = setTimeout(() => void compare().then(lookLater), EVERY_MS).unref();
  }

  learn(first);
  lookLater();
  return {
    now() {
      const at = ticks();
      const wasSet = Math.abs(machine() - at - machineBase) > SET_MS;
      if (wasSet && !comparing && at - comparedAt >= AT_ONCE_EVERY_MS) void compare();
      return Math.round(at + base);
    },
    close: () => clearTimeout(timer),
  };
}
