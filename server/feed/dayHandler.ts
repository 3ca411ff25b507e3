/** The request `day`: the first message of a room within a time, for members of the room. */
import type { Answer, Request, User } from '../../shared/protocol/index.ts';
import { RefusedError } from '../base/refusal.ts';
import type { Access } from '../rooms/access.ts';
import { firstSince, unreadableLog } from '../rooms/timeInLog.ts';
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
    if (head === undefined) throw unreadableLog();
    const first = await firstSince(log, room, head, from);
    const end = await firstSince(log, room, head, to);
    const serverOffset = first < end ? await log.messageFrom(room, first, end - 1) : undefined;
    return serverOffset === undefined ? {} : { serverOffset };
  };
}
