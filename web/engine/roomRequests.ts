/**
 * Making rooms, which needs no connection: a room is stored with the row that makes it, and is a room of the person's from then
 * on. Looking up, listing, joining and leaving rooms need a connection, and report `offline` without one.
 */
import { checkNewName, shownName } from '../../shared/text.ts';
import { storageReason } from '../db/failure.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import type { Sync } from '../log/fetch/sync.ts';
import { addRow } from '../outbox/pendingAmendments.ts';
import type { Change } from '../records/change.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { type AnswerOrReason, askServer } from './askServer.ts';

/** A room that one need not be a member of. */
interface FoundRoom {
  id: string;
  name: string;
  members: number;
  /** Perhaps empty; absent where it was not asked for. */
  description?: string;
}

export interface RoomRequests {
  /** `announcements`: only owners and moderators write in it. */
  createRoom(
    name: string,
    kind: 'public' | 'private',
    announcements?: boolean,
  ): AnswerOrReason<{ room: string }>;
  lookUpRoom(room: string): AnswerOrReason<{ room: FoundRoom }>;
  joinRoom(room: string, invite?: string): AnswerOrReason;
  leaveRoom(room: string): AnswerOrReason;
  /**
   * Public rooms, those with the latest activity first, a page at a time; `next`: the `after` of the next page. With a `query`, those
   * whose name or description has it; then a page may be empty all the same.
   */
  listPublic(
    query?: string,
    after?: string,
  ): AnswerOrReason<{ rooms: FoundRoom[]; next: string | undefined }>;
}

interface Deps {
  db: UserDatabase;
  /** The wall clock in milliseconds. */
  now: () => number;
  changed(change: Change): void;
  connection: Pick<ConnectionRunner, 'ask'>;
  sync: Pick<Sync, 'joined' | 'left'>;
  newKey: () => string;
}

export function createRoomRequests({ db, now, changed, connection, sync, newKey }: Deps): RoomRequests {
  /**
   * The id or key of each request without an answer. The same request uses it again, so that no room is created twice.
   */
  const unanswered = new Map<string, string>();

  function idFor(what: string): string {
    const id = unanswered.get(what) ?? newKey();
    unanswered.set(what, id);
    return id;
  }

  return {
    async createRoom(raw, kind, announcements = false) {
      if (raw.trim() === '') return { ok: false, reason: { code: 'empty' } };
      const name = checkNewName(raw);
      if (!name.ok) return { ok: false, reason: { code: name.code, message: name.message } };
      const what = `create ${kind} ${announcements} ${name.text}`; // a database that did not answer may have stored it
      const room = idFor(what);
      return shown(async () => {
        await db.write(['rooms', 'rows'], async (tx) => {
          if (await tx.objectStore('rooms').getKey(room)) return;
          const about = announcements && { about: { announcements, upTo: 0 } };
          const described = { id: room, kind, name: name.text, head: 0, readUpTo: 0, members: 1, ...about };
          await tx.objectStore('rooms').put({ ...described, role: 'owner', making: true });
          const fields = { roomKind: kind, name: name.text, ...(announcements && { announcements }) };
          await addRow(tx, { room, clientOffset: room, kind: 'create', at: now(), fields });
        });
        unanswered.delete(what);
        changed({ type: 'all' });
        changed({ type: 'queued', rooms: [room] });
        return { ok: true, room };
      });
    },

    async lookUpRoom(room) {
      const asked = await askServer(connection, 'room:get', { room });
      return asked.ok ? { ok: true, room: asked.answer.room } : asked;
    },

    async joinRoom(room, invite) {
      const clientOffset = idFor(`join ${room}`);
      const asked = await askServer(connection, 'room:join', {
        room,
        clientOffset,
        ...(invite && { invite }),
      });
      if (asked.ok || asked.reason.code !== 'offline') unanswered.delete(`join ${room}`);
      if (!asked.ok) return asked;
      return shown(async () => {
        await sync.joined(asked.answer.room);
        return { ok: true };
      });
    },

    async leaveRoom(room) {
      const asked = await askServer(connection, 'room:leave', { room, clientOffset: idFor(`leave ${room}`) });
      if (asked.ok || asked.reason.code !== 'offline') unanswered.delete(`leave ${room}`);
      if (!asked.ok) return asked;
      return shown(async () => {
        await sync.left(room);
        return { ok: true };
      });
    },

    async listPublic(query = '', from) {
      const rooms: FoundRoom[] = [];
      let after = from;
      for (let requests = 1; ; requests++) {
        const searched = query.trim() === '' ? {} : { query };
        const asked = await askServer(connection, 'room:list', {
          ...searched,
          ...(after !== undefined && { after }),
        });
        if (!asked.ok) return asked;
        rooms.push(
          ...asked.answer.rooms.map(({ id, name, members, about }) => ({
            id,
            name: shownName(name),
            members,
            description: about?.description ?? '',
          })),
        );
        after = asked.answer.next;
        if (after === undefined || rooms.length >= FOUND_AT_LEAST || requests >= REQUESTS_AT_ONCE)
          return { ok: true, rooms, next: after };
      }
    },
  };
}

/** One request searches some hundred rooms: so many more are made where it has found few, before the person is asked. */
const REQUESTS_AT_ONCE = 5;
const FOUND_AT_LEAST = 10;

async function shown<T extends { ok: true }>(work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    return { ok: false, reason: storageReason(error) } as const;
  }
}
