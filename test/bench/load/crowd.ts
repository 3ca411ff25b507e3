/** Members who are connected evenly to all server processes: they send messages and count the received ones. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../support/random.ts';
import { waitFor } from '../../support/waitFor.ts';
import type { Stand } from '../stand/stand.ts';
import { type Client, enter } from './client.ts';
import { bodyOf } from './words.ts';

export interface Crowd extends Disposable {
  /** Messages acknowledged so far. */
  acknowledged(): number;
  /** Messages received so far, by all members together. */
  delivered(): number;
  /**
   * Every member sends the next message when the last one is acknowledged, until the returned function is called. That
   * resolves when all sent messages are acknowledged and received by every member.
   */
  talk(): () => Promise<void>;
  /** Random members send at this rate. Resolves with the latencies of all deliveries in ms. */
  trickle(perSecond: number, count: number): Promise<number[]>;
}

/** `audience`: how many members receive each message; all of them, unless they write in rooms of their own. */
export async function gather(
  { urls, members, dialect }: Pick<Stand, 'urls' | 'members' | 'dialect'>,
  audience = members.length,
): Promise<Crowd> {
  const random = seeded(SEED);
  const saidAt: number[] = [];
  const heardAfter: number[] = [];
  let acknowledged = 0;
  let delivered = 0;
  let isTiming = false;

  const hear = (number: number) => {
    delivered++;
    if (isTiming) heardAfter.push(performance.now() - saidAt[number]!);
  };
  const size = members.length;
  const clients = await inGroups(size, (i) => enter(urls[i % urls.length]!, members[i]!, dialect, hear));

  const say = async (client: Client) => {
    const number = saidAt.length;
    saidAt.push(performance.now());
    await client.say(bodyOf(number, random));
    acknowledged++;
  };
  const allHeard = () =>
    waitFor('every member has received every message', () => delivered >= saidAt.length * audience);

  return {
    acknowledged: () => acknowledged,
    delivered: () => delivered,
    talk() {
      let isOver = false;
      const everyone = Promise.all(
        clients.map(async (client) => {
          while (!isOver) await say(client);
        }),
      );
      everyone.catch(() => {}); // reported when it is awaited
      return async () => {
        isOver = true;
        await everyone;
        await allHeard();
      };
    },
    async trickle(perSecond, count) {
      heardAfter.length = 0;
      isTiming = true;
      const said: Promise<void>[] = [];
      const start = performance.now();
      for (let i = 0; i < count; i++) {
        const early = start + (i * 1000) / perSecond - performance.now();
        if (early > 0 || i % UNREAD === 0) await sleep(Math.max(0, early)); // behind time, it still reads what arrives
        said.push(say(random.pick(clients)));
      }
      await Promise.all(said);
      await allHeard();
      isTiming = false;
      return [...heardAfter];
    },
    [Symbol.dispose]() {
      for (const client of clients) client.close();
    },
  };
}

const SEED = 1;
/** Messages that are sent behind time before the load reads again. */
const UNREAD = 16;

/** Connects in groups, since the listener's backlog is short; a burst of connections is not what this measures. */
export async function inGroups<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const group = Array.from({ length: Math.min(GROUP, count - made.length) }, (_, j) =>
      make(made.length + j),
    );
    made.push(...(await Promise.all(group)));
  }
  return made;
}

const GROUP = 50;
