import { EventEmitter } from 'node:events';
import type { Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { REQUESTS_PER_TURN } from '../../../server/base/serverLimits.ts';
import { takeTurns } from '../../../server/request/requestTurns.ts';

function scene() {
  const http = new EventEmitter();
  const handled: string[] = [];
  http.on('request', ({ url }: { url: string }) => handled.push(url));
  takeTurns(http as Server);
  /** A request of HTTP/2 on this connection; without one, of HTTP/1.1. */
  const arrive = (url: string, session?: object) => {
    const stream = session && { session, destroyed: false, closed: false };
    http.emit('request', { url, stream }, {});
    return stream;
  };
  return { handled, arrive };
}

test('requests of one connection that come at once are handled over several turns, in their order', async () => {
  const { handled, arrive } = scene();
  const [session, urls] = [{}, Array.from({ length: 3 * REQUESTS_PER_TURN }, (_, nth) => `/${nth}`)];
  for (const url of urls) arrive(url, session);
  expect(handled.length).toBeLessThanOrEqual(REQUESTS_PER_TURN);
  while (handled.length < urls.length) {
    const before = handled.length;
    await nextTurn();
    expect(handled.length - before).toBeLessThanOrEqual(REQUESTS_PER_TURN);
  }
  expect(handled).toEqual(urls);
});

test('connections take turns: one that has many requests holds up nobody else', async () => {
  const { handled, arrive } = scene();
  const busy = {};
  for (let nth = 0; nth < 10 * REQUESTS_PER_TURN; nth++) arrive(`/busy/${nth}`, busy);
  arrive('/innocent', {});
  arrive('/by HTTP/1.1');
  expect(handled.at(-1)).toBe('/by HTTP/1.1');
  await nextTurn();
  await nextTurn();
  expect(handled).toContain('/innocent');
});

test('a request that was reset before its turn is not handled', async () => {
  const { handled, arrive } = scene();
  const session = {};
  const streams = Array.from({ length: 100 }, (_, nth) => arrive(`/${nth}`, session)!);
  const begun = handled.length;
  for (const stream of streams) stream.closed = true;
  arrive('/last', session);
  await nextTurn();
  await nextTurn();
  expect(handled.slice(begun)).toEqual(['/last']);
});
