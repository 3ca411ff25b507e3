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

interface MentionablePeople {
  /** In the order of their names; without the person. */
  people: Mentionable[];
  /**
   * The server said that the room has nobody else. Otherwise those whose names begin as what was typed can be asked for.
   */
  isAll: boolean;
}

/** Pages of members that are asked for: with PRESENCE_MAX_MEMBERS each, 200 people. */
const PAGES = 4;

/** `begins`: only those whose names begin so. */
export async function askMentionable(
  db: UserDatabase,
  me: string,
  connection: Pick<ConnectionRunner, 'ask'>,
  room: string,
  begins?: string,
): Promise<MentionablePeople> {
  const names = new Map<string, string>();
  if (begins !== undefined) {
    const answer = await connection.ask('presence', { room, begins }, ACKNOWLEDGE_WITHIN_MS);
    if (answer?.ok) for (const [id, { name }] of Object.entries(answer.users)) names.set(id, name);
    return { people: inOrder(names, me), isAll: false };
  }
  let isAll = false;
  let after: string | undefined;
  for (let page = 0; page < PAGES && !isAll; page++) {
    const asked = { room, ...(after !== undefined && { after }) };
    const answer = await connection.ask('presence', asked, ACKNOWLEDGE_WITHIN_MS);
    if (!answer?.ok) break;
    for (const [id, { name }] of Object.entries(answer.users)) names.set(id, name);
    after = answer.next;
    isAll = after === undefined;
  }
  await db.read(['rooms', 'users'], async (tx) => {
    const stored = await tx.objectStore('rooms').get(room);
    const known = pairOf(room) ?? Object.keys(stored?.readers ?? {});
    for (const id of known.filter((each) => !names.has(each))) {
      const user = await tx.objectStore('users').get(id);
      if (user) names.set(id, user.name);
    }
  });
  return { people: inOrder(names, me), isAll };
}

function inOrder(names: ReadonlyMap<string, string>, me: string): Mentionable[] {
  return [...names]
    .filter(([id]) => id !== me)
    .map(([id, name]) => ({ id, name: shownName(name) }))
    .filter(({ name }) => name !== '')
    .sort((a, b) => a.name.localeCompare(b.name));
}
