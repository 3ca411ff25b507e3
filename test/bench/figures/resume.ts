/**
 * The bytes for a client that was away and missed fifty messages: every byte that the server sends on the new connection until
 * all messages have arrived, handshake and headers included. The client is back within seconds, so the tutorial's connection
 * state recovery succeeds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { waitFor } from '../../support/waitFor.ts';
import { gather } from '../load/crowd.ts';
import { comeAndGo } from '../load/returner.ts';
import type { Stand } from '../stand/stand.ts';

export interface Resume {
  bytesReceived: number;
  bytesSent: number;
}

export async function resume(stand: Stand): Promise<Resume> {
  const [away, ...others] = stand.members;
  await using proxy = await startProxy(Number(new URL(stand.urls[0]!).port));
  using crowd = await gather({ ...stand, members: others });
  using returner = comeAndGo(stand.contender, proxy.url, stand.dialect.auth(away!));
  await waitFor('the connection is there', returner.isThere);
  await crowd.trickle(SAID_PER_SECOND, 1); // after one message the client has an offset
  await waitFor('the first message has arrived', () => returner.heard() === 1);
  await sleep(NEXT_SECOND_MS);
  await silence(proxy);

  proxy.refuse();
  await waitFor('the connection is gone', () => !returner.isThere());
  await crowd.trickle(SAID_PER_SECOND, MISSED);
  const before = { down: proxy.seen('down'), up: proxy.seen('up') };
  proxy.pass();
  await waitFor('the missed messages have arrived', () => returner.heard() === 1 + MISSED);
  await silence(proxy);
  if (!returner.isResumed()) throw new Error('the server made the client begin anew: nothing was resumed');
  return { bytesReceived: proxy.seen('down') - before.down, bytesSent: proxy.seen('up') - before.up };
}

/**
 * ObjectIds that several processes generate within one second are in no order: the tutorial's recovery loses some of the
 * messages of the same second as the last received one, and this measurement would wait for them for ever.
 */
const NEXT_SECOND_MS = 1_000;
const MISSED = 50;
const SAID_PER_SECOND = 200;

async function silence(proxy: TcpProxy): Promise<void> {
  let seen: number;
  do {
    seen = proxy.seen('down');
    await sleep(SILENCE_MS);
  } while (proxy.seen('down') > seen);
}

const SILENCE_MS = 250;
