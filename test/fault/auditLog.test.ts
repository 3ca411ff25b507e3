/** The audit log of a real server: which events are lines, and that nothing in the whole output identifies anybody. */
import { expect, test } from 'vitest';
import { connectClient, newId, post, signUp } from '../support/api.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import { waitFor } from '../support/waitFor.ts';

type Line = Record<string, unknown>;

function auditOf(server: ServerProcess): Line[] {
  const lines = server.logs().split('\n');
  return lines.filter((line) => line.includes('"audit":true')).map((line) => JSON.parse(line));
}

const recorded = (server: ServerProcess, line: Line) =>
  waitFor(`an audit line ${JSON.stringify(line)}`, () =>
    auditOf(server).find((found) => Object.entries(line).every(([name, value]) => found[name] === value)),
  );

test('refused connections and exceeded limits are lines', async () => {
  await using server = await startServer({ env: { LOG_LEVEL: 'warn' } });
  const ada = await signUp(server.url, 'Ada Lovelace');
  await expect(connectClient(server.url, { ...ada, token: `${ada.token.slice(1)}x` })).rejects.toThrow();
  await recorded(server, { event: 'connection', outcome: 'refused', code: 'unauthorized' });

  await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
    headers: { origin: 'http://evil.example' },
  });
  await recorded(server, { event: 'connection', outcome: 'refused', code: 'forbidden' });

  using client = await connectClient(server.url, ada);
  await Promise.all(Array.from({ length: 150 }, () => client.request('beat').catch(() => undefined)));
  const { user, address } = await recorded(server, { event: 'limit', outcome: 'refused', limit: 'frames' });
  expect([user, address]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), expect.any(String)]);
});

test('AUDIT_LOG=off writes no such line', async () => {
  await using server = await startServer({ env: { AUDIT_LOG: 'off' } });
  await post(server.url, '/api/session', { name: 'Ada', claim: newId(), credential: 'cookie' });
  expect(await server.stop()).toBe(0);
  expect(auditOf(server)).toEqual([]);
});
