/** The users, and their rooms. */
import { LOBBY } from '../../../../shared/mint.ts';
import { connectClient, newId, type SignedUp, signUp } from '../../../support/api.ts';
import type { Random } from '../../../support/random.ts';

export interface Person {
  session: SignedUp;
  rooms: string[];
}

interface Gathering {
  url: string;
  people: number;
  /** The rooms, including the lobby, of which all are members. */
  rooms: number;
  random: Random;
}

const ROOMS_OF_EACH = 3;
const AT_ONCE = 8;

/** Signs all users up; each joins some of the rooms. */
export async function gather({ url, people, rooms, random }: Gathering): Promise<Person[]> {
  const ids = await createRooms(url, rooms - 1);
  const plans = Array.from({ length: people }, (_, n) => ({
    name: `Person ${n + 1}`,
    rooms: random.shuffle(ids).slice(0, ROOMS_OF_EACH - 1),
  }));
  const gathered: Person[] = [];
  for (let n = 0; n < people; n += AT_ONCE)
    gathered.push(...(await Promise.all(plans.slice(n, n + AT_ONCE).map((plan) => come(url, plan)))));
  return gathered;
}

async function come(url: string, { name, rooms }: { name: string; rooms: string[] }): Promise<Person> {
  const session = await signUp(url, name);
  using client = await connectClient(url, session);
  for (const room of rooms) {
    const answer = await client.request('room:join', { room, clientOffset: newId() });
    if (!answer.ok) throw new Error(`joining: ${JSON.stringify(answer)}`);
  }
  return { session, rooms: [LOBBY, ...rooms] };
}

async function createRooms(url: string, count: number): Promise<string[]> {
  using host = await connectClient(url, await signUp(url, 'Host'));
  const ids = Array.from({ length: count }, newId);
  for (const [index, id] of ids.entries()) {
    const answer = await host.makeRoom({ id, kind: 'public', name: `Room ${index + 1}` });
    if (!answer.ok) throw new Error(`creating a room: ${JSON.stringify(answer)}`);
  }
  return ids;
}
