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
import { exactReasonOf, type Reason } from '../records/errorReason.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

export interface DirectRequests {
  /** Opens the conversation with a person; resolves with its room. Idempotent. */
  writeTo(person: { id: string; name: string }): Answered<{ room: string }>;
  profile(id: string): Answered<{ profile: PersonProfile }>;
  /** Whoever has this name, in any case. */
  findPerson(name: string): Answered<{ person: { id: string; name: string } }>;
}

interface PersonProfile {
  name: string;
  since: number | undefined;
  rooms: readonly string[];
  presence: PersonPresence;
}

type Answered<T> = Promise<({ ok: true } & T) | { ok: false; reason: Reason }>;

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
      const [answer, presence] = await Promise.all([
        connection.ask('person', { id }, ACKNOWLEDGE_WITHIN_MS),
        connection.ask('presence', { room }, ACKNOWLEDGE_WITHIN_MS),
      ]);
      if (!answer) return { ok: false, reason: { code: 'offline' } };
      if (!answer.ok) return { ok: false, reason: exactReasonOf(answer.error) };
      const { user, since, rooms = [] } = answer;
      const shown = presence?.ok ? presence.people[id] : undefined;
      return { ok: true, profile: { name: shownName(user.name), since, rooms, presence: shown ?? {} } };
    },

    async findPerson(name) {
      const key = nameKey(name);
      if (key === '') return { ok: false, reason: { code: 'empty' } };
      const known = await db.read(['users'], (tx) => tx.objectStore('users').getAll()).catch(() => []);
      const person = known.find((user) => nameKey(user.name) === key);
      if (person) return { ok: true, person };
      const answer = await connection.ask('person', { name }, ACKNOWLEDGE_WITHIN_MS);
      if (!answer) return { ok: false, reason: { code: 'offline' } };
      return answer.ok
        ? { ok: true, person: answer.user }
        : { ok: false, reason: exactReasonOf(answer.error) };
    },
  };
}
