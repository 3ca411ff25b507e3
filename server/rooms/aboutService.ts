/**
 * What owners and moderators change of a room: each change is an entry, which the store applies to the room's record. Of changes
 * at the same moment, also on several processes, the one that is later in the log holds.
 */
import type { RoomFields } from '../../shared/aboutRoom.ts';
import type { Request, User } from '../../shared/protocol/index.ts';
import { type Checked, checkDescription, checkNewName } from '../../shared/text.ts';
import { RefusedError } from '../base/refusal.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { EntryKey, LogStore, OwnFields, RoomRecord, RoomStore } from '../store/port.ts';
import { noSuchRoom } from './access.ts';
import type { Moderation } from './moderation.ts';
import type { RoomLimits } from './roomLimits.ts';
import type { EntryWriter } from './roomService.ts';

export interface AboutService {
  /** Writes no entry where the room has this value already. */
  change(user: User, request: Request<'room:about'>): Promise<void>;
  /** Pins a message in place of another one, or unpins it. */
  pin(user: User, request: Request<'room:pin'>): Promise<void>;
}

interface Deps {
  store: Pick<RoomStore, 'byId'>;
  log: Pick<LogStore, 'find'>;
  entries: EntryWriter;
  moderation: Pick<Moderation, 'mustModerate'>;
  limits: Pick<RoomLimits, 'charged'>;
  /** Tokens per room and user. */
  changes: Limiter;
  /** Called with the name of the limit that refuses. */
  onRefusal: (limit: string, user: string) => void;
}

export function createAboutService({
  store,
  log,
  entries,
  moderation,
  limits,
  changes,
  onRefusal,
}: Deps): AboutService {
  /** `isSo`: the room has this already; then nothing is written. */
  async function write(
    user: User,
    key: EntryKey,
    kind: string,
    fields: OwnFields,
    isSo: (room: RoomRecord) => boolean | Promise<boolean>,
  ): Promise<void> {
    const known = await entries.lookUp(key, kind, fields);
    if (known === 'conflict') throw otherContent();
    if (known === 'repeat') return;
    await moderation.mustModerate(user, key.room);
    const room = await store.byId(key.room);
    if (!room) throw noSuchRoom();
    if (await isSo(room)) return;
    const retryAfter = changes.take(`${key.room} ${user.id}`, 1);
    if (retryAfter > 0) {
      onRefusal('room-changes', user.id);
      throw new RefusedError(
        'rate-limited',
        'You have changed this room many times; wait a moment.',
        retryAfter,
      );
    }
    await limits.charged(user.id, async () => {
      const { tag } = await entries.appendOwn(key, kind, fields);
      if (tag === 'conflict') throw otherContent();
      if (tag === 'no-room') throw noSuchRoom();
      if (tag === 'no-target') throw noSuchMessage();
      if (tag !== 'appended' && tag !== 'repeat') throw new Error(`a change of a room gave ${tag}`);
      return tag;
    });
  }

  return {
    async change(user, { room, clientOffset, ...asked }) {
      const content = checked(asked);
      const key = { room, author: user.id, clientOffset };
      await write(user, key, 'about', { content }, (now) => hasAlready(now, content));
    },

    async pin(user, { room, clientOffset, target, on }) {
      const key = { room, author: user.id, clientOffset };
      const fields = { target: target.clientOffset, targetAuthor: target.author, content: { on } };
      await write(user, key, 'pin', fields, async ({ about }) => {
        const [message] = await log.find([{ room, ...target }]);
        if (!message) throw noSuchMessage();
        return (about?.pinned === message.serverOffset) === on;
      });
    },
  };
}

/** One field, normalized. */
function checked({ name, description, announcements }: RoomFields): RoomFields {
  const fields = {
    ...(name !== undefined && { name: textOf(checkNewName(name)) }),
    ...(description !== undefined && { description: textOf(checkDescription(description)) }),
    ...(announcements !== undefined && { announcements }),
  };
  if (Object.keys(fields).length !== 1)
    throw new RefusedError(
      'invalid',
      'Change one thing at a time: the name, the description, or who may write.',
    );
  return fields;
}

function textOf(text: Checked): string {
  if (!text.ok) throw new RefusedError(text.code, text.message);
  return text.text;
}

function hasAlready({ name, about }: RoomRecord, content: RoomFields): boolean {
  const now: RoomFields = {
    name,
    description: about?.description ?? '',
    announcements: about?.announcements === true,
  };
  return Object.entries(content).every(([field, value]) => now[field as keyof RoomFields] === value);
}

function noSuchMessage(): RefusedError {
  return new RefusedError('not-found', 'There is no such message, or it was deleted.');
}

function otherContent(): RefusedError {
  return new RefusedError('conflict', 'Another change was sent under this key.');
}
