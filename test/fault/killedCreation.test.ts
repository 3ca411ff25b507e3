/** A server that is killed while it makes rooms, at any moment between the request and the answer. */
import { expect, test } from 'vitest';
import {
  type ApiClient,
  connectClient,
  creation,
  newId,
  type SignedUp,
  signUp,
  text,
  wholeLog,
} from '../support/api.ts';
import { startMongo } from '../support/mongo/index.ts';
import { startServer } from '../support/serverProcess.ts';
import { waitFor } from '../support/waitFor.ts';

const KILLS = 8;

test.each(['sqlite', 'mongo'] as const)(
  'L1 L3 O2 the server is killed while it makes rooms: a repeat makes each once, with its owner (%s)',
  { timeout: 180_000 },
  async (store) => {
    await using mongo = store === 'mongo' ? await startMongo() : undefined;
    await using server = await startServer({ env: mongo ? { MONGODB_URL: mongo.anotherUrl() } : {} });
    const ada = await signUp(server.url, 'Ada');
    for (let kill = 0; kill < KILLS; kill++) {
      const id = newId();
      const items = [
        creation({ id, kind: 'private', name: `Room ${kill}` }),
        text('one', id),
        text('two', id),
      ];
      const client = await connectClient(server.url, ada);
      const answered = client.append(...items).catch(() => undefined);
      await afterMicroseconds(kill * 700);
      await server.kill9();
      client.close();
      void answered;
      await server.start();
      using again = await reconnected(server.url, ada);
      const answer = await waitFor('all of it is written', async () => {
        const one = await again.append(...items).catch(() => undefined);
        return one?.ok && one.results.length === items.length ? one : undefined;
      });
      expect(answer).toMatchObject({
        results: [{ serverOffset: 1 }, { serverOffset: 2 }, { serverOffset: 3 }],
      });
      expect(await again.request('room:roles', { room: id })).toMatchObject({ ok: true, own: 'owner' });
      expect((await wholeLog(server.url, ada, id)).map(({ kind }) => kind)).toEqual([
        'create',
        'text',
        'text',
      ]);
    }
    using last = await reconnected(server.url, ada);
    expect(last.welcome.rooms).toHaveLength(KILLS + 1);
    for (const room of last.welcome.rooms.filter(({ kind }) => kind === 'private'))
      expect(room).toMatchObject({ members: 1, head: 3 });
  },
);

function reconnected(url: string, session: SignedUp): Promise<ApiClient> {
  return waitFor('a connection', () => connectClient(url, session).catch(() => undefined));
}

/** Shorter than a timer can be. */
async function afterMicroseconds(us: number): Promise<void> {
  const until = performance.now() + us / 1_000;
  while (performance.now() < until) await new Promise(setImmediate);
}
