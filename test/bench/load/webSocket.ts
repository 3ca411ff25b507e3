/**
 * A minimal WebSocket client: the load must use less CPU than the measured server, and a library's client needs more for each
 * frame than the server does. It offers compression, as browsers do, but compresses nothing itself.
 */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { createReader, frameOf } from './frames.ts';

export interface WebSocketClient {
  send(text: string): void;
  close(): void;
}

/**
 * Resolves when the connection is open. `onFrame` gets the payload of each text frame, which is valid during the call only.
 * `address`: the address of this machine from which it connects.
 */
export function openWebSocket(
  url: string,
  onFrame: (payload: Buffer, client: WebSocketClient) => void,
  onEnd: () => void,
  address?: string,
): Promise<WebSocketClient> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
  };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
      headers,
      agent: false,
      ...(address !== undefined && { localAddress: address }),
    });
    asked.on('error', reject);
    asked.on('response', (answer) => reject(new Error(`no upgrade but ${answer.statusCode}`)));
    asked.on('upgrade', (_, socket: Socket, head: Buffer) => {
      socket.setNoDelay();
      const client = { send: (text: string) => socket.write(frameOf(text)), close: () => socket.destroy() };
      const hear = createReader((payload) => onFrame(payload, client));
      socket.on('data', hear);
      socket.on('error', () => {});
      socket.on('close', onEnd);
      resolve(client);
      hear(head);
    });
    asked.end();
  });
}
