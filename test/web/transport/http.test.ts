import { expect, test } from 'vitest';
import { createHttp } from '../../../web/transport/http.ts';
import { createFakeClock } from '../db/fakeClock.ts';

const loadBodies = () => import('../../../web/transport/bodies.ts');
const unreachable = { ok: false, error: { code: 'unreachable' } };

test.each([200, 401, 403, 503])('O2 a page with status %i is no answer of ours', async (status) => {
  const http = createHttp(
    async () => new Response('<html>Pay here</html>', { status }),
    createFakeClock(),
    loadBodies,
  );
  expect(await http.session()).toMatchObject(unreachable);
  expect(await http.signIn({ name: 'Ada', claim: 'x', credential: 'cookie' })).toMatchObject(unreachable);
});

test('a password is not taken along to where a network redirects', async () => {
  const asked: (RequestInit | undefined)[] = [];
  const http = createHttp(
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
