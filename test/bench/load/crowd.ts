/** Members who are connected evenly to all server processes: they send messages and count the received ones. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../support/random.ts';
import { waitFor } from '../../support/waitFor.ts';
import type { Stand } from '../stand/stand.ts';
import { type Client, enter, follow } from './client.ts';
import { bodyOf } from './words.ts';

/** How the messages came to the members, each message once for each member. */
export interface Deliveries {
  live: number;
  /** In the answer to a range, or in the catch-up after a lost connection. */
  fetched: number;
  /** Missed and not fetched: the app shows a gap, and fetches it when somebody scrolls there. */
  left: number;
  /** Connections that the server ended because they did not keep up. The client has come back. */
  cutOff: number;
}

export interface Crowd extends Disposable {
  /** Messages acknowledged so far. */
  acknowledged(): number;
  /** Messages received so far, by all members together. */
  delivered(): number;
  deliveries(): Deliveries;
  /**
   * Every member sends the next message when the last one is acknowledged, until the returned function is called. That
   * resolves when all sent messages are acknowledged, and each is received by every member, or known to be left in the log.
   */
  talk(): () => Promise<void>;
  /** Random members send at this rate. Resolves with the latencies of all deliveries in ms, ascending. */
  trickle(perSecond: number, count: number): Promise<Float64Array>;
}

/** `audience`: how many members receive each message; all of them, unless they write in rooms of their own. */
export async function gather(
  { urls, members, dialect }: Pick<Stand, 'urls' | 'members' | 'dialect'>,
  audience = members.length,
): Promise<Crowd> {
  const random = seeded(SEED);
  const saidAt: number[] = [];
  const heardAfter: number[] = [];
  const came: Deliveries = { live: 0, fetched: 0, left: 0, cutOff: 0 };
  let acknowledged = 0;
  let isTiming = false;

  const time = (number: number) => {
    if (isTiming) heardAfter.push(performance.now() - saidAt[number]!);
  };
  const following = {
    live(number: number) {
      came.live++;
      time(number);
    },
    fetched(number: number) {
      came.fetched++;
      time(number);
    },
    left(messages: number) {
      came.left += messages;
    },
    cutOff: () => void came.cutOff++,
  };
  const size = members.length;
  const clients = await inGroups(size, (i) => {
    const url = urls[i % urls.length]!;
    return dialect.hasOffsets
      ? follow(url, members[i]!, dialect, following)
      : enter(url, members[i]!, dialect, following.live);
  });

  const say = async (client: Client) => {
    const number = saidAt.length;
    saidAt.push(performance.now());
    await client.say(bodyOf(number, random));
    acknowledged++;
  };

  /** Fails when nothing comes any more. A client that follows the log counts nothing twice, so more than was sent is a mistake of its own. */
  const allHeard = async () => {
    let [seen, seenAt] = [-1, 0];
    await waitFor(
      'every member has received every message',
      () => {
        const [all, due] = [came.live + came.fetched + came.left, saidAt.length * audience];
        if (all === due || (all > due && !dialect.hasOffsets)) return true;
        const stand = `${all} of ${due} deliveries: ${JSON.stringify(came)}`;
        if (all > due) throw new Error(`more was counted than was sent: ${stand}`);
        const now = performance.now();
        if (all !== seen) [seen, seenAt] = [all, now];
        if (now - seenAt > SILENT_MS) throw new Error(`nothing arrives any more: ${stand}`);
        return false;
      },
      ALL_WITHIN_MS,
    );
  };

  const allAcknowledged = async (said: Promise<unknown>) => {
    const late = sleep(ALL_WITHIN_MS, undefined, { ref: false }).then(() => {
      throw new Error(`only ${acknowledged} of ${saidAt.length} messages are acknowledged`);
    });
    await Promise.race([said, late]);
  };

  return {
    acknowledged: () => acknowledged,
    delivered: () => came.live + came.fetched,
    deliveries: () => ({ ...came }),
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
        await allAcknowledged(everyone);
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
      await allAcknowledged(Promise.all(said));
      await allHeard();
      isTiming = false;
      return Float64Array.from(heardAfter).sort();
    },
    [Symbol.dispose]() {
      for (const client of clients) client.close();
    },
  };
}

const SEED = 1;
/** Messages that are sent behind time before the load reads again. */
const UNREAD = 16;
/** Longer than the server takes to read heads again (HEADS_EVERY_MS). */
const SILENT_MS = 30_000;
const ALL_WITHIN_MS = 90_000;

/** Connects in groups, since the listener's backlog is short; a burst of connections is not what this measures. */
export async function inGroups<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const group = Array.from({ length: Math.min(PEOPLE_AT_A_TIME, count - made.length) }, (_, j) =>
      make(made.length + j),
    );
    made.push(...(await Promise.all(group)));
  }
  return made;
}

export const PEOPLE_AT_A_TIME = 50;
