/** A part of a room's log, for a member of the room. */
import {
  MESSAGES_SHOWN_LEAST,
  RANGE_MAX_BYTES,
  RANGE_MAX_ENTRIES,
  RANGE_POLLED_BYTES,
} from '../../shared/limits.ts';
import type { Answer, Request, User } from '../../shared/protocol/index.ts';
import { jsonBytes } from '../base/jsonBytes.ts';
import { RefusedError } from '../base/refusal.ts';
import type { Way } from '../perform.ts';
import type { Access } from '../rooms/access.ts';
import type { LogStore } from '../store/port.ts';
import type { Names } from './names.ts';
import { hasFewMessages } from './plan.ts';

interface Deps {
  log: LogStore;
  names: Names;
  access: Access;
}

export function createRange({ log, names, access }: Deps) {
  return async (
    user: User,
    { room, from, to }: Request<'range'>,
    way: Way,
  ): Promise<Omit<Answer<'range'>, 'ok' | 'epoch'>> => {
    if (from > to) throw new RefusedError('invalid', '`from` is above `to`.');
    const refused = await access.refusalOf(room, user.id);
    if (refused) throw refused;
    const most = way === 'polling' ? RANGE_POLLED_BYTES : RANGE_MAX_BYTES;
    let found = await log.range(room, from, Math.min(to, from + RANGE_MAX_ENTRIES - 1), most);
    // Short texts may have had long edits: then fewer are answered, and the client asks for the rest.
    while (found.entries.length > 1 && jsonBytes(found.amendments) > most) {
      found = await log.range(room, from, from + (found.entries.length >> 1) - 1, most);
    }
    const { entries, amendments, head } = found;
    const first = entries[0]?.serverOffset ?? 1;
    const isShort = first > 1 && hasFewMessages(entries);
    const [users, older] = await Promise.all([
      names.of([...entries, ...amendments]),
      isShort ? log.messageAt(room, first - 1, MESSAGES_SHOWN_LEAST) : undefined,
    ]);
    return { entries, amendments, users, head, ...(older === undefined ? {} : { older }) };
  };
}
