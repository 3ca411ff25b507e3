/**
 * The request `day`: the first message of a room within a time, for members of the room. The times of a log never go back, so a
 * search for a time needs no index: each step asks for the times of some entries at once.
 */
import type { Answer, Request, User } from '../../shared/protocol/index.ts';
import { RefusedError, Unavailable } from '../base/refusal.ts';
import type { Access } from '../rooms/access.ts';
import type { LogStore } from '../store/port.ts';

interface Deps {
  log: Pick<LogStore, 'heads' | 'timesAt' | 'messageFrom'>;
  access: Pick<Access, 'refusalOf'>;
}

export function createDayHandler({ log, access }: Deps) {
  return async (
    user: User,
    { room, from, to }: Request<'day'>,
  ): Promise<Omit<Answer<'day'>, 'ok' | 'epoch'>> => {
    if (from >= to) throw new RefusedError('invalid', '`to` is not later than `from`.');
    const refused = await access.refusalOf(room, user.id);
    if (refused) throw refused;
    const head = (await log.heads([room])).get(room);
    if (head === undefined) throw unreadable();
    const first = await firstSince(log, room, head, from);
    const end = await firstSince(log, room, head, to);
    const serverOffset = first < end ? await log.messageFrom(room, first, end - 1) : undefined;
    return serverOffset === undefined ? {} : { serverOffset };
  };
}

/** The serverOffset of the first entry that is not earlier than `time`; head + 1 where all are. */
export async function firstSince(
  log: Pick<LogStore, 'timesAt'>,
  room: string,
  head: number,
  time: number,
): Promise<number> {
  let [from, to] = [1, head + 1]; // it is among these
  while (from < to) {
    const step = Math.ceil((to - from) / TIMES_AT_ONCE);
    const offsets: number[] = [];
    for (let offset = from + step - 1; offset < to; offset += step) offsets.push(offset);
    const times = await log.timesAt(offsets.map((serverOffset) => ({ room, serverOffset })));
    if (times.includes(undefined)) throw unreadable();
    const index = times.findIndex((at) => at! >= time);
    if (index < 0) from = offsets.at(-1)! + 1;
    else {
      to = offsets[index]!;
      if (index > 0) from = offsets[index - 1]! + 1;
    }
  }
  return to;
}

/** Four steps find an entry among a million. */
const TIMES_AT_ONCE = 32;

function unreadable(): Unavailable {
  return new Unavailable('This room cannot be read at the moment; try again.');
}
