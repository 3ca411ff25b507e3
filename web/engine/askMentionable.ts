/** Whom a message in a room may mention: the members whom the server lists, or without a connection those whom this device knows. */
import { pairOf } from '../../shared/directPair.ts';
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { shownName } from '../../shared/text.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

interface Mentionable {
  id: string;
  name: string;
}

/** Pages of members that are asked for: with PRESENCE_MAX_MEMBERS each, 200 people. Of larger rooms not all can be chosen. */
const PAGES = 4;

/** In the order of their names; without the person. */
export async function askMentionable(
  db: UserDatabase,
  me: string,
  connection: Pick<ConnectionRunner, 'ask'>,
  room: string,
): Promise<Mentionable[]> {
  const names = new Map<string, string>();
  let after: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const asked = { room, ...(after !== undefined && { after }) };
    const answer = await connection.ask('presence', asked, ACKNOWLEDGE_WITHIN_MS);
    if (!answer?.ok) break;
    for (const [id, { name }] of Object.entries(answer.users)) names.set(id, name);
    after = answer.next;
    if (after === undefined) break;
  }
  await db.read(['rooms', 'users'], async (tx) => {
    const stored = await tx.objectStore('rooms').get(room);
    const known = pairOf(room) ?? Object.keys(stored?.readers ?? {});
    for (const id of known.filter((each) => !names.has(each))) {
      const user = await tx.objectStore('users').get(id);
      if (user) names.set(id, user.name);
    }
  });
  names.delete(me);
  return [...names]
    .map(([id, name]) => ({ id, name: shownName(name) }))
    .filter(({ name }) => name !== '')
    .sort((a, b) => a.name.localeCompare(b.name));
}
