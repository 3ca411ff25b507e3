/**
 * A server in a process of its own, which does what its parent says: makes people, lets hours pass, measures its heap. Its
 * clock is advanced instead of waiting: everything that is done periodically is done then, and what is only remembered for
 * some time is forgotten.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export type Told = { tag: 'people'; count: number } | { tag: 'hours' } | { tag: 'heap' } | { tag: 'stop' };
export interface Person {
  id: string;
  token: string;
  room: string;
}
export type Answered =
  | { tag: 'started'; url: string }
  | { tag: 'people'; people: Person[] }
  | { tag: 'heap'; bytes: number }
  | { tag: 'done' };

const HOUR_MS = 60 * 60 * 1000;
const PERIODIC_FROM_MS = 5_000;

let later = 0;
const monotonic = performance.now.bind(performance);
performance.now = () => monotonic() + later;
const periodic: (() => void)[] = [];
const { setInterval } = globalThis;
globalThis.setInterval = ((work: () => void, ms: number, ...args: []) => {
  if (ms >= PERIODIC_FROM_MS) periodic.push(work);
  return setInterval(work, ms, ...args);
}) as typeof globalThis.setInterval;

// only now: these modules use the clock and the timers when they are loaded
const { startApp } = await import('../../support/app.ts');
const { hashToken, tokenFrom } = await import('../../../server/auth/tokens.ts');
const { appendNew, join, newId } = await import('../../contract/support.ts');

const app = await startApp({ config: { trustProxy: 1 } as never });
let people = 0;

/** Pairs, each with a room of its own. */
async function addPeople(count: number): Promise<Person[]> {
  const added: Person[] = [];
  for (let n = 0; n < count; n++) {
    const person = {
      id: newId(),
      token: tokenFrom(randomBytes(32)),
      room: n % 2 ? added.at(-1)!.room : newId(),
    };
    const name = `Person ${people++}`;
    await app.store.users.create(
      { id: person.id, name, nameKey: name.toLowerCase(), createdAt: Date.now() },
      {
        id: newId(),
        user: person.id,
        tokenHash: hashToken(person.token),
        claimHash: newId(),
        createdAt: Date.now(),
      },
    );
    if (n % 2 === 0)
      await app.store.rooms.create({
        id: person.room,
        kind: 'public',
        name: 'Room',
        createdBy: person.id,
        createdAt: Date.now(),
      });
    added.push(person);
  }
  await appendNew(
    app.store,
    added.map(({ room, id }) => join(room, id)),
    Date.now(),
  );
  return added;
}

/** Thrice, since some things are only forgotten in the second round. */
async function passHours(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    later += 12 * HOUR_MS;
    for (const work of periodic) work();
    await sleep(200);
  }
}

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc!();
    await sleep(50);
  }
  return process.memoryUsage().heapUsed;
}

async function answerTo(told: Told): Promise<Answered> {
  switch (told.tag) {
    case 'people':
      return { tag: 'people', people: await addPeople(told.count) };
    case 'hours':
      await passHours();
      return { tag: 'done' };
    case 'heap':
      return { tag: 'heap', bytes: await heapBytes() };
    case 'stop':
      await app.stop();
      return { tag: 'done' };
  }
}

process.on('message', async (told: Told) => {
  process.send!(await answerTo(told));
  if (told.tag === 'stop') process.disconnect();
});
process.send!({ tag: 'started', url: app.url } satisfies Answered);
