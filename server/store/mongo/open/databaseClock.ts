/**
 * The time of all processes of one database: that of the machine, unless it is far from that of the database's primary. Codes
 * of ten minutes, invitations and the times beside messages would otherwise depend on which process one has come to.
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
}

const EVERY_MS = 30_000;
/** Smaller differences are left alone: machines with a time service differ by less. */
const LEFT_ALONE_MS = 5_000;

/** Resolves when the clocks were compared once, or could not be. */
export async function watchClock({ db, pass, log, machine = Date.now }: Deps): Promise<DatabaseClock> {
  let aheadMs = 0;
  let timer: NodeJS.Timeout | undefined;

  async function compare(): Promise<void> {
    const before = machine();
    const { localTime } = await pass(() => db.command({ hello: 1 }));
    const after = machine();
    if (!(localTime instanceof Date)) return;
    const difference = (before + after) / 2 - localTime.getTime();
    const isFar = Math.abs(difference) > LEFT_ALONE_MS + Math.abs(after - before);
    const next = isFar ? difference : 0;
    if (Math.abs(next - aheadMs) < LEFT_ALONE_MS) return; // a correction is kept while it is right
    aheadMs = next;
    log.warn(
      { seconds: Math.round(Math.abs(aheadMs) / 1_000) },
      aheadMs === 0
        ? 'The clock of this machine is right again.'
        : `The clock of this machine is ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the database, which is used instead: set it right, or use a time service (NTP).`,
    );
  }

  async function look(): Promise<void> {
    await compare().catch(() => {}); // the database is away, which other calls report
    timer = setTimeout(look, EVERY_MS).unref();
  }

  await look();
  return { now: () => Math.round(machine() - aheadMs), close: () => clearTimeout(timer) };
}
