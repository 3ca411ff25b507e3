/** A thousand random frames to the real server: each is answered in the protocol's form, and other users are not affected. */
import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { LOBBY } from '../../shared/mint.ts';
import { answers, classOf, Refusal } from '../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, signUp } from '../support/api.ts';
import { startBystanders } from '../support/bystanders.ts';
import { startServer } from '../support/serverProcess.ts';

const FRAMES = 1_000;
const SENDERS = 20;
const SEED = 4;

/** Half of them are nearly valid, so they pass the first check. */
function framesFor(me: string): fc.Arbitrary<[event: string, payload: unknown]> {
  const room = fc.constantFrom<unknown>(LOBBY, newId(), '__proto__', '', 1, null);
  const id = fc.constantFrom<unknown>(newId(), newId(), '__proto__', 'x'.repeat(22), undefined, {});
  const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(1, 2, 0, -1, 1e300));
  const kind = fc.constantFrom('text', 'edit', 'delete', 'join', 'leave', 'reaction', '__proto__');
  const body = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.jsonValue());
  const item = fc.oneof(
    fc.record({ room, clientOffset: id, kind, body, target: id }, { requiredKeys: [] }),
    fc.jsonValue(),
  );
  const payload = fc.oneof(
    fc.record({ as: fc.constantFrom(me, newId()), items: fc.array(item, { maxLength: 20 }) }),
    fc.record({ room, from: number, to: number, upTo: number, typing: fc.boolean() }, { requiredKeys: [] }),
    fc.record(
      { id, kind: fc.constantFrom('public', 'private', 'direct', 'x'), name: body, after: id },
      { requiredKeys: [] },
    ),
    fc.record({ room, clientOffset: id, invite: body }, { requiredKeys: ['room'] }),
    fc.jsonValue(),
  );
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...Object.keys(answers)) },
    { weight: 1, arbitrary: fc.string().filter((name) => !OF_THE_LIBRARY.has(name)) },
  );
  return fc.tuple(event, payload);
}

/** Event names that Socket.IO itself refuses to emit. */
const OF_THE_LIBRARY = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

test('each of a thousand random frames gets a valid answer, and the server goes on', {
  timeout: 60_000,
}, async () => {
  await using server = await startServer();
  const bystanders = await startBystanders(server.url);

  for (let sender = 0; sender < SENDERS; sender++) {
    using client = await connectClient(server.url, await signUp(server.url, `Sender ${sender}`));
    const frames = fc.sample(framesFor(client.session.user.id), {
      numRuns: FRAMES / SENDERS,
      seed: SEED + sender,
    });
    await Promise.all(frames.map((frame) => expectAnswer(client, frame)));
  }

  expect(await bystanders.stop()).toBeGreaterThan(10);
  expect(server.logs()).not.toMatch(/"level":"(?:error|fatal)"/);
});

async function expectAnswer(client: ApiClient, [event, payload]: [string, unknown]): Promise<void> {
  const answer: unknown = await client.socket.timeout(10_000).emitWithAck(event, payload);
  const refused = v.safeParse(Refusal, answer);
  if (refused.success) {
    expect(['permanent', 'auth'], JSON.stringify([event, payload])).toContain(
      classOf(refused.output.error.code),
    );
    return;
  }
  const schema: v.GenericSchema | undefined = Object.entries(answers).find(([name]) => name === event)?.[1];
  expect(schema && v.is(schema, answer), JSON.stringify([event, payload, answer])).toBe(true);
}
