/** What owners and moderators of a room do: needs a connection, and reports `offline` without one. */
import type { RoomFields } from '../../shared/aboutRoom.ts';
import type { MessageKey } from '../../shared/entry.ts';
import type { Answer, Request, RoomRole } from '../../shared/protocol/index.ts';
import { shownName } from '../../shared/text.ts';
import { storageReason } from '../db/failure.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { forgetExit } from '../log/store/applyFrames.ts';
import type { Change } from '../records/change.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { type AnswerOrReason, askServer } from './askServer.ts';

export interface ModerationRequests {
  roles(room: string): AnswerOrReason<{
    roles: Readonly<Record<string, RoomRole>>;
    own: RoomRole;
    banned: readonly { id: string; name: string }[];
  }>;
  setRole(room: string, user: string, role: RoomRole, handsOn?: boolean): AnswerOrReason;
  removeMember(room: string, user: string, ban: boolean): AnswerOrReason;
  unban(room: string, user: string): AnswerOrReason;
  /** One of the fields. */
  changeRoom(room: string, fields: Omit<RoomFields, 'pinned'>): AnswerOrReason;
  /** Pins a message in place of another one, or unpins it. */
  pinMessage(room: string, message: MessageKey, on: boolean): AnswerOrReason;
  forgetRoom(room: string): AnswerOrReason;
}

interface Deps {
  db: UserDatabase;
  changed(change: Change): void;
  connection: Pick<ConnectionRunner, 'ask'>;
  newKey: () => string;
}

export function createModerationRequests({ db, changed, connection, newKey }: Deps): ModerationRequests {
  /** The key of each request without an answer: the same request uses it again, so that it is one entry. */
  const unanswered = new Map<string, string>();

  async function change<Name extends 'room:role' | 'room:remove' | 'room:unban' | 'room:about' | 'room:pin'>(
    name: Name,
    payload: Omit<Request<Name>, 'clientOffset'>,
  ): AnswerOrReason {
    const what = JSON.stringify([name, payload]);
    const clientOffset = unanswered.get(what) ?? newKey();
    unanswered.set(what, clientOffset);
    const asked = await askServer(connection, name, { ...payload, clientOffset } as Request<Name>);
    if (asked.ok || asked.reason.code !== 'offline') unanswered.delete(what);
    return asked.ok ? { ok: true } : asked;
  }

  /** For the menus of this room, also without a connection. */
  async function keepRole(id: string, own: RoomRole): Promise<void> {
    const hasChanged = await db.write(['rooms'], async (tx) => {
      const stored = await tx.objectStore('rooms').get(id);
      if (!stored || (stored.role ?? 'member') === own) return false;
      const { role: _, ...room } = stored;
      await tx.objectStore('rooms').put(own === 'member' ? room : { ...room, role: own });
      return true;
    });
    if (hasChanged) changed({ type: 'marks', rooms: [id] });
  }

  return {
    async roles(room) {
      const asked = await askServer(connection, 'room:roles', { room });
      if (asked.ok) await keepRole(room, asked.answer.own).catch(() => {}); // a full device: it is asked again
      return asked.ok
        ? { ok: true, roles: asked.answer.roles, own: asked.answer.own, banned: bannedIn(asked.answer) }
        : asked;
    },
    setRole: (room, user, role, handsOn) =>
      change('room:role', { room, user, role, ...(handsOn && { handsOn }) }),
    removeMember: (room, user, ban) => change('room:remove', { room, user, ...(ban && { ban }) }),
    changeRoom: (room, fields) => change('room:about', { room, ...fields }),
    pinMessage: (room, { author, clientOffset }, on) =>
      change('room:pin', { room, target: { author, clientOffset }, on }),
    unban: (room, user) => change('room:unban', { room, user }),
    async forgetRoom(room) {
      try {
        await forgetExit(db, room);
        changed({ type: 'all' });
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: storageReason(error) };
      }
    },
  };
}

function bannedIn({ banned = [], users }: Answer<'room:roles'>): { id: string; name: string }[] {
  return banned.map((id) => ({ id, name: shownName(users[id]?.name ?? '') }));
}
