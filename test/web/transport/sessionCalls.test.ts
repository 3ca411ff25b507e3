import { expect, test } from 'vitest';
import { createSessionCalls } from '../../../web/transport/sessionCalls.ts';
import { createFakeClock } from '../db/fakeClock.ts';

const loadBodies = () => import('../../../web/transport/bodies.ts');
const unreachable = { ok: false, error: { code: 'unreachable' } };

test.each([200, 401, 403, 503])('O2 an HTML page with status %i counts as no answer', async (status) => {
  const http = createSessionCalls(
    async () => new Response('<html>Pay here</html>', { status }),
    createFakeClock(),
    loadBodies,
  );
  expect(await http.session()).toBeUndefined();
  expect(await http.signIn({ name: 'Ada', claim: 'x', credential: 'cookie' })).toMatchObject(unreachable);
});

test('a password is not sent to where a network redirects', async () => {
  const asked: (RequestInit | undefined)[] = [];
  const http = createSessionCalls(
    async (_, init) => {
      asked.push(init);
      throw new TypeError('Failed to fetch'); // as a browser does at a redirect
    },
    createFakeClock(),
    loadBodies,
  );
  expect(await http.setPassword('secret', undefined)).toMatchObject(unreachable);
  expect(asked[0]).toMatchObject({ redirect: 'error' });
});
