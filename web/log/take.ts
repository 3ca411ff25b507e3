/** Frames and answers into the database, in one transaction (S1). */
import type { Entry } from '../../shared/entry.ts';
import { isAmendment, ruleOf } from '../../shared/kinds.ts';
import type { Users } from '../../shared/protocol/index.ts';
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { type Settled, settleEchoes } from '../outbox/settle.ts';
import { type LogsHeld, OtherEpoch, writeLogs } from './generation.ts';
import { forget, hold, holdLoose, type Incoming, isOfAnotherLog, LOG_STORES } from './hold.ts';
import { followHead } from './rooms.ts';
import { putUsers } from './users.ts';

export interface Arrived {
  incoming: Incoming;
  users: Users;
}

export interface Taken {
  held: boolean;
  /** Of the outbox. */
  settled: Settled;
  /** What was held of the room was of another log, and is forgotten. */
  putBack: boolean;
}

export async function take(
  db: UserDatabase,
  me: string,
  incoming: Incoming,
  users: Users,
  logs?: LogsHeld,
): Promise<Taken> {
  return (await takeAll(db, me, [{ incoming, users }], logs)).taken[0]!;
}

/**
 * In their order. `renamed`: users who had another name before. With `logs` nothing is taken unless the database is of
 * those: `OtherEpoch`.
 */
export function takeAll(
  db: UserDatabase,
  me: string,
  arrived: readonly Arrived[],
  logs?: LogsHeld,
): Promise<{ taken: Taken[]; renamed: string[] }> {
  return writeLogs(db, LOG_STORES, logs, async (tx) => {
    if (logs && logs.epoch !== (await tx.objectStore('meta').get('epoch'))) throw new OtherEpoch();
    const taken: Taken[] = [];
    for (const { incoming } of arrived) taken.push(await takeOne(tx, me, incoming));
    const renamed: string[] = [];
    for (const { users } of arrived) renamed.push(...(await putUsers(tx, users)));
    return { taken, renamed };
  });
}

/**
 * Where they would leave a hole only what stands for itself is kept: one's own entries, which settle their rows, and
 * what changes entries, or may do so in a kind that this version does not know.
 */
async function takeOne(tx: UserWrite, me: string, incoming: Incoming): Promise<Taken> {
  const { room, entries, amendments } = incoming;
  const putBack = await isOfAnotherLog(tx, incoming);
  if (putBack) await forget(tx, room);
  const settled = await settleEchoes(tx, me, room, [...entries, ...amendments]);
  const held = !incoming.apart && (await hold(tx, putBack ? { ...incoming, opens: true } : incoming));
  const loose = entries.filter((entry) => entry.author === me || mayAmendOthers(entry));
  if (held) await followHead(tx, room, entries);
  else await holdLoose(tx, room, [...loose, ...amendments]);
  return { held, settled, putBack };
}

function mayAmendOthers(entry: Entry): boolean {
  return isAmendment(entry) || (ruleOf(entry.kind) === undefined && entry.target !== undefined);
}

/** True when each follows the one before: else it is no piece of a log. */
export function isRun(entries: readonly Entry[], from: number): boolean {
  return entries.length > 0 && entries.every((entry, i) => entry.serverOffset === from + i);
}
