/** Who is not an attacker: two hundred people behind one address who come at the same time. */
// @module-tag slow
import { expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { startServer } from '../../support/serverProcess.ts';
import { authOf, closeAll, newKey, openRaw, signUpFrom } from './rawClient.ts';

const PEOPLE = 200;
const WITH_PASSWORD = 20;
const TEXTS_EACH = 3;
const ADDRESS = process.platform === 'linux' ? '127.0.0.77' : '127.0.0.1';

test('a ward of 200 people on one address signs up, connects and writes at once: nobody is refused', {
  timeout: 60_000,
}, async () => {
  await using server = await startServer({
    env: { LOG_LEVEL: 'error', NODE_OPTIONS: '--max-old-space-size=256' },
  });
  const writing = Array.from({ length: PEOPLE }, async (_, nth) => {
    const password = nth < WITH_PASSWORD ? { password: `a password ${nth}` } : {};
    const person = await signUpFrom(server.url, `Patient ${nth}`, ADDRESS, password);
    const socket = await openRaw(server.url, { from: ADDRESS, auth: authOf(person) });
    const items = Array.from({ length: TEXTS_EACH }, (_unused, text) => ({
      kind: 'text',
      room: LOBBY,
      clientOffset: newKey(),
      body: `text ${text} of ${nth}`,
    }));
    const answers = await Promise.all(
      items.map((item) => socket.request('append', { as: person.id, items: [item] })),
    );
    return answers.map((answer) => answer?.results?.[0] ?? { refused: answer });
  });
  const results: object[] = (await Promise.all(writing)).flat();
  closeAll();
  expect(results).toHaveLength(PEOPLE * TEXTS_EACH);
  expect(results.filter((result) => !('serverOffset' in result))).toEqual([]);
  expect(new Set(results.map((result) => (result as { serverOffset: number }).serverOffset)).size).toBe(
    results.length,
  );
});
