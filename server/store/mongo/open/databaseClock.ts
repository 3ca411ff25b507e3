/**
 * The time of all processes of one database: that of the machine, unless it is far from that of the database's primary. Codes
 * of ten minutes, invitations and the times beside messages would otherwise depend on which process one has come to.
 *
 * Between two comparisons the time goes on by the monotonic clock. So nothing jumps when the machine's clock is set, right or
 * wrong: that is noticed by the next reader of the time, and the clocks are compared at once.
 */
import type { Db } from 'mongodb';
import type { Logger } from 'pino';

export interface DatabaseClock {
  /** In ms since 1970. */
  now(): number;
  close(): void;
}

interface Deps {
  db: Pick<Db, 'command'>;
  pass: <T>(work: () => Promise<T>) => Promise<T>;
  log: Pick<Logger, 'warn'>;
  /** The machine's. */
  machine?: () => number;
  /** A monotonic clock in milliseconds. */
  ticks?: () => number;
}

const EVERY_MS = 30_000;
/** Smaller differences are left alone: machines with a time service differ by less. */
const LEFT_ALONE_MS = 5_000;
/** The machine's clock was set, or the machine was suspended, if it has gone by so much more or less than the monotonic one. */
const SET_MS = 1_000;
/** Between two comparisons that readers of the time cause, while the database does not answer. */
const AT_ONCE_EVERY_MS = 1_000;

/** Resolves when the clocks were compared once, or could not be. */
export async function watchClock({
  db,
  pass,
  log,
  machine = Date.now,
  ticks = () => performance.now(),
}: Deps): Promise<DatabaseClock> {
  /** What the machine's clock was ahead of the monotonic one at the last comparison. */
  let machineBase = machine() - ticks();
  /** The same of the time that is given out. */
  let base = machineBase;
  let aheadMs = 0;
  let comparing: Promise<void> | undefined;
  let comparedAt = ticks();
  let timer: NodeJS.Timeout | undefined;

  async function ask(): Promise<void> {
    const { localTime, before, after } = await pass(async () => {
      const before = ticks(); // when its turn has come
      const { localTime } = await db.command({ hello: 1 });
      return { localTime, before, after: ticks() };
    });
    if (!(localTime instanceof Date)) return;
    machineBase = machine() - ticks();
    const databaseBase = localTime.getTime() - (before + after) / 2;
    const difference = machineBase - databaseBase;
    const far = Math.abs(difference) - LEFT_ALONE_MS;
    if (far > 0 && far <= after - before) return; // the answer came too late to tell
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
    comparing = ask()
      .catch(() => {}) // the database is away, which other calls report
      .finally(() => {
        comparing = undefined;
      });
    return comparing;
  }

  async function look(): Promise<void> {
    await compare();
    timer = setTimeout(look, EVERY_MS).unref();
  }

  await look();
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
