/**
 * Beginning a direct conversation: its room is made on the device alone, so it needs no connection. The server makes it with the
 * first message. Finding the other one by their name needs a connection, unless the device knows them.
 */
import { directRoomOf, membersOfPair, pairOf } from '../../shared/directPair.ts';
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import type { PersonPresence } from '../../shared/protocol/index.ts';
import { nameKey, shownName } from '../../shared/text.ts';
import { storageReason } from '../db/failure.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import type { Change } from '../records/change.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { type AnswerOrReason, askServer } from './askServer.ts';

export interface DirectRequests {
  /** Opens the conversation with a person; resolves with its room. Idempotent. */
  writeTo(person: { id: string; name: string }): AnswerOrReason<{ room: string }>;
  profile(id: string): AnswerOrReason<{ profile: PersonProfile }>;
  /** Whoever has this name, in any case. */
  findPerson(name: string): AnswerOrReason<{ person: { id: string; name: string } }>;
}

interface PersonProfile {
  name: string;
  since: number | undefined;
  rooms: readonly string[];
  presence: PersonPresence;
}

interface Deps {
  db: UserDatabase;
  /** The user's id. */
  me: string;
  connection: Pick<ConnectionRunner, 'ask'>;
  changed(change: Change): void;
}

export function createDirectRequests({ db, me, connection, changed }: Deps): DirectRequests {
  return {
    async writeTo({ id, name }) {
      const room = directRoomOf(me, id);
      try {
        await db.write(['rooms', 'users'], async (tx) => {
          const [rooms, users] = [tx.objectStore('rooms'), tx.objectStore('users')];
          if (!(await rooms.getKey(room))) {
            const members = membersOfPair(pairOf(room)!);
            await rooms.put({ id: room, kind: 'direct', name, head: 0, readUpTo: 0, members });
          }
          if (!(await users.getKey(id))) await users.put({ id, name, rev: 0 });
        });
      } catch (error) {
        return { ok: false, reason: storageReason(error) };
      }
      changed({ type: 'all' });
      return { ok: true, room };
    },

    async profile(id) {
      const room = directRoomOf(me, id);
      const [asked, presence] = await Promise.all([
        askServer(connection, 'person', { id }, ACKNOWLEDGE_WITHIN_MS),
        connection.ask('presence', { room }, ACKNOWLEDGE_WITHIN_MS),
      ]);
      if (!asked.ok) return asked;
      const { user, since, rooms = [] } = asked.answer;
      const shown = presence?.ok ? presence.people[id] : undefined;
      return { ok: true, profile: { name: shownName(user.name), since, rooms, presence: shown ?? {} } };
    },

    async findPerson(name) {
      const key = nameKey(name);
      if (key === '') return { ok: false, reason: { code: 'empty' } };
      const known = await db.read(['users'], (tx) => tx.objectStore('users').getAll()).catch(() => []);
      const person = known.find((user) => nameKey(user.name) === key);
      if (person) return { ok: true, person };
      const asked = await askServer(connection, 'person', { name }, ACKNOWLEDGE_WITHIN_MS);
      return asked.ok ? { ok: true, person: asked.answer.user } : asked;
    },
  };
}
