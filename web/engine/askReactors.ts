/** Who reacts to a message: the server is asked; without a connection, those whom this device knows. */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { shownName } from '../../shared/text.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

/** Names, empty where one is not known; `others`: how many more there are. */
interface PeopleOfEmoji {
  emoji: string;
  names: string[];
  others: number;
}

export async function askReactors(
  db: UserDatabase,
  connection: Pick<ConnectionRunner, 'status' | 'ask'>,
  room: string,
  target: number,
): Promise<PeopleOfEmoji[]> {
  const answer =
    connection.status() === 'live'
      ? await connection.ask('reactors', { room, target }, ACKNOWLEDGE_WITHIN_MS)
      : undefined;
  if (answer?.ok) {
    const nameOf = (id: string) => shownName(answer.users[id]?.name ?? '');
    return answer.reactions.map(({ emoji, by }) => ({ emoji, names: by.map(nameOf), others: 0 }));
  }
  return db.read(['reactions', 'users'], async (tx) => {
    const { counts = [] } = (await tx.objectStore('reactions').get([room, target])) ?? {};
    return Promise.all(
      counts.map(async ({ emoji, count, by }) => {
        const users = await Promise.all(by.map((id) => tx.objectStore('users').get(id)));
        const names = users.map((user) => (user ? shownName(user.name) : ''));
        return { emoji, names, others: count - by.length };
      }),
    );
  });
}
