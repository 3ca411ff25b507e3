/** Memory after many people and rooms have come and gone. */
// @module-tag slow
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { PROTOCOL, REQUIRED_FEATURE } from '../../../shared/protocol/index.ts';
import { newId, text } from '../../support/api.ts';
import { runsOf } from '../../support/runs.ts';
import type { Answered, Person, Told } from './process.ts';

/** Of one round; they were never there before. The soak has 200 rounds: 10,000 people in 5,000 rooms. */
const PEOPLE = 50;
const ROUNDS = runsOf('people who come and go');
const AT_A_TIME = 20;

async function startChurned() {
  const child = fork(fileURLToPath(new URL('./process.ts', import.meta.url)), {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const gone = once(child, 'exit').then(() => Promise.reject(new Error('the server died')));
  gone.catch(() => {});
  const answer = async (): Promise<Answered> => {
    const heard = new Promise<Answered>((resolve) => child.once('message', resolve));
    return Promise.race([heard, gone]);
  };
  const started = (await answer()) as Extract<Answered, { tag: 'started' }>;
  const tell = (told: Told) => {
    child.send(told);
    return answer();
  };
  return { url: started.url, tell };
}

/** Connects, writes, reads, joins and leaves a room, and is gone. `n`: everybody has an address of their own. */
async function comesAndGoes(url: string, { id, token, room }: Person, n: number): Promise<void> {
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders: { 'X-Forwarded-For': `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}` },
    auth: {
      protocol: PROTOCOL,
      features: [REQUIRED_FEATURE],
      token,
      cursors: Object.fromEntries(Array.from({ length: 20 }, () => [newId(), [1, 1]])), // of rooms that were left
    },
  });
  try {
    await new Promise((resolve, reject) => {
      socket.once('welcome', resolve);
      socket.once('connect_error', reject);
    });
    const ask = (event: string, payload: unknown) => socket.timeout(20_000).emitWithAck(event, payload);
    const answers = [
      await ask('append', { as: id, items: Array.from({ length: 10 }, () => text('x'.repeat(4_000), room)) }),
      await ask('range', { room, from: 1, to: 50 }),
      await ask('read', { room, upTo: 2 }),
      await ask('room:leave', { room, clientOffset: newId() }),
      await ask('room:join', { room: LOBBY, clientOffset: newId() }),
      await ask('range', { room: newId(), from: 1, to: 50 }),
    ];
    expect(answers.map((answer) => answer.ok)).toEqual([true, true, true, true, true, false]);
  } finally {
    socket.close();
  }
}

test('when everybody has gone, the heap is where it began, within a tenth', {
  timeout: 3_600_000,
}, async () => {
  const { url, tell } = await startChurned();
  let n = 0;

  async function round(): Promise<void> {
    const answer = await tell({ tag: 'people', count: PEOPLE });
    const { people } = answer as Extract<Answered, { tag: 'people' }>;
    for (let i = 0; i < people.length; i += AT_A_TIME)
      await Promise.all(people.slice(i, i + AT_A_TIME).map((person) => comesAndGoes(url, person, n++)));
  }

  /** One more person, so that caches that are emptied when they are used are empty. */
  async function measured(): Promise<number> {
    await tell({ tag: 'hours' });
    const [last] = ((await tell({ tag: 'people', count: 1 })) as Extract<Answered, { tag: 'people' }>).people;
    await comesAndGoes(url, last!, n++);
    await tell({ tag: 'hours' });
    return ((await tell({ tag: 'heap' })) as Extract<Answered, { tag: 'heap' }>).bytes;
  }

  await round(); // code is compiled, buffers reach their size
  const before = await measured();
  for (let i = 0; i < ROUNDS; i++) await round();
  const after = await measured();
  console.info(`churn: ${(before / 1e6).toFixed(1)} MB before, ${(after / 1e6).toFixed(1)} MB after`);
  expect(after / before).toBeLessThan(1.1);
  await tell({ tag: 'stop' });
});
