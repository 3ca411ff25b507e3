/** The first Engine.IO request of a transport, with headers that a browser sets and a page cannot set. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';

/** Resolves with the HTTP status: 200 or 101 if it is accepted. */
export function engineHandshake(
  url: string,
  transport: 'polling' | 'websocket',
  { cookie, origin }: { cookie: string; origin: string | undefined },
): Promise<number> {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
  };
  const headers = { cookie, ...(origin && { origin }), ...(transport === 'websocket' && upgrade) };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/socket.io/?EIO=4&transport=${transport}`, { headers, agent: false });
    asked.on('error', reject);
    asked.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    asked.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode!);
    });
    asked.end();
  });
}
