/** The request `range`: a part of a room's log, for members of the room. */
import {
  MESSAGES_SHOWN_LEAST,
  RANGE_MAX_BYTES,
  RANGE_MAX_ENTRIES,
  RANGE_POLLED_BYTES,
  REACTORS_MAX,
} from '../../shared/limits.ts';
import type { Answer, Request, User } from '../../shared/protocol/index.ts';
import { RefusedError } from '../base/refusal.ts';
import type { RequestSource } from '../request/perform.ts';
import type { Access } from '../rooms/access.ts';
import type { LogStore } from '../store/port.ts';
import { jsonBytes } from '../store/storedEntries.ts';
import { hasFewMessages } from './catchUpPlan.ts';
import type { Names } from './names.ts';
import { quotesField, quotesFor } from './quotes.ts';
import { namesIn, reactionsField, reactionsInRange } from './reactions.ts';

interface Deps {
  log: LogStore;
  names: Pick<Names, 'of' | 'ofUsers'>;
  access: Access;
}

/** The handler. Answers at least one entry if there is any in the range; the client requests the rest. */
export function createRangeHandler({ log, names, access }: Deps) {
  return async (
    user: User,
    { room, from, to }: Request<'range'>,
    transport: RequestSource['transport'],
  ): Promise<Omit<Answer<'range'>, 'ok' | 'epoch'>> => {
    if (from > to) throw new RefusedError('invalid', '`from` is greater than `to`.');
    const refused = await access.refusalOf(room, user.id);
    if (refused) throw refused;
    const most = transport === 'polling' ? RANGE_POLLED_BYTES : RANGE_MAX_BYTES;
    let found = await log.range(room, from, Math.min(to, from + RANGE_MAX_ENTRIES - 1), most);
    let quotes = await quotesFor(log, room, found.entries);
    // Short texts may have long edits and quotes: halve the range until these fit.
    while (found.entries.length > 1 && jsonBytes(found.amendments) + jsonBytes(quotes) > most) {
      found = await log.range(room, from, from + (found.entries.length >> 1) - 1, most);
      quotes = await quotesFor(log, room, found.entries);
    }
    const { entries, amendments, head } = found;
    const first = entries[0]?.serverOffset ?? 1;
    const isShort = first > 1 && hasFewMessages(entries);
    const reactions = await reactionsInRange(log, room, entries, user.id);
    const [users, reactors, older] = await Promise.all([
      names.of([...entries, ...amendments]),
      namesIn(names, reactions),
      isShort ? log.messageAt(room, first - 1, MESSAGES_SHOWN_LEAST) : undefined,
    ]);
    return {
      entries,
      amendments,
      users: { ...reactors, ...users },
      ...quotesField(quotes),
      ...reactionsField(reactions),
      head,
      ...(older === undefined ? {} : { older }),
    };
  };
}

/** The handler of the request `reactors`: who reacted to a message, for members of the room. */
export function createReactorsHandler({ log, names, access }: Deps) {
  return async (
    user: User,
    { room, target }: Request<'reactors'>,
  ): Promise<Omit<Answer<'reactors'>, 'ok' | 'epoch'>> => {
    const refused = await access.refusalOf(room, user.id);
    if (refused) throw refused;
    const found = await log.reactors(room, target, REACTORS_MAX);
    const byEmoji = Map.groupBy(found, ({ emoji }) => emoji);
    return {
      reactions: [...byEmoji].map(([emoji, its]) => ({ emoji, by: its.map((one) => one.user) })),
      users: await names.ofUsers([...new Set(found.map((one) => one.user))]),
    };
  };
}
