/** Connections that stay without doing what they are for: each kind ends by itself within its time. */
// @module-tag slow
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CONNECTED_WITHIN_MS,
  FIRST_BYTE_WITHIN_MS,
  HEADERS_WITHIN_MS,
} from '../../../server/base/serverLimits.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import { closeAll, openPolling, openRaw, openTcp } from './rawClient.ts';

/** The server looks once a second; a busy machine looks later. */
const SLACK_MS = 10_000;

let folder: TemporaryFolder;
let plain: ServerProcess;
let secure: ServerProcess;

beforeAll(async () => {
  folder = await temporaryFolder();
  const { certFile, keyFile } = makeCertificate(folder.path, 'lingering');
  plain = await startServer();
  secure = await startServer({ env: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } });
}, 120_000);

afterAll(async () => {
  closeAll();
  await plain?.dispose();
  await secure?.dispose();
  await folder?.remove();
});

/** The first bytes of a ClientHello, whose record has 512 bytes. */
const HALF_A_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);

const KINDS: Record<string, { withinMs: number; open: () => Promise<void> }> = {
  'without a byte': { withinMs: FIRST_BYTE_WITHIN_MS, open: () => endOf(openTcp(plain.url)) },
  'without a byte of TLS': { withinMs: FIRST_BYTE_WITHIN_MS, open: () => endOf(openTcp(secure.url)) },
  'with half a handshake of TLS': {
    withinMs: HEADERS_WITHIN_MS,
    open: () => endOf(saying(secure.url, HALF_A_HELLO)),
  },
  'whose headers come byte by byte': { withinMs: HEADERS_WITHIN_MS, open: () => endOf(headersByByte()) },
  'that opens a WebSocket and never CONNECTs': {
    withinMs: CONNECTED_WITHIN_MS,
    open: async () => (await openRaw(plain.url)).closed,
  },
  'that opens a session of long polling and never CONNECTs': {
    withinMs: CONNECTED_WITHIN_MS,
    open: endOfPolling,
  },
};

test('a connection that does not do what it is for ends by itself within its time', {
  timeout: CONNECTED_WITHIN_MS + 3 * SLACK_MS,
}, async () => {
  const start = performance.now();
  const late = Object.entries(KINDS).map(async ([what, { withinMs, open }]) => {
    await open();
    const ms = performance.now() - start;
    return ms > withinMs + SLACK_MS ? [`${what}: ${ms.toFixed(0)} ms, above ${withinMs}`] : [];
  });
  expect((await Promise.all(late)).flat()).toEqual([]);
});

function saying(url: string, bytes: Buffer | string): Socket {
  const socket = openTcp(url);
  socket.write(bytes);
  return socket;
}

function headersByByte(): Socket {
  const socket = saying(plain.url, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
  const timer = setInterval(() => socket.write('s'), 500);
  socket.on('close', () => clearInterval(timer));
  return socket;
}

function endOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** It answers to its pings, so that it does not end for want of them. Resolves when the server does not know it any more. */
async function endOfPolling(): Promise<void> {
  const session = await openPolling(plain.url, '127.0.0.1');
  for (;;) {
    const answer = await session.poll();
    if (answer.status !== 200 || answer.body === '1') return;
    if (answer.body.includes('2')) await session.post('3');
  }
}
