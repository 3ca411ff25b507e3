/** The server is killed with kill -9 while clients write: every acknowledged entry is there, once, in order, without a gap. */
// @module-tag slow
import { expect, test } from 'vitest';
import { LOBBY } from '../../shared/mint.ts';
import type { Item, ItemResult } from '../../shared/protocol/index.ts';
import { bodyOf, connectClient, type SignedUp, signUp, text, wholeLog } from '../support/api.ts';
import { startProxy } from '../support/proxy.ts';
import { seeded } from '../support/random.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import { waitFor } from '../support/waitFor.ts';

const KILLS = 5;
const WRITERS = 4;

test('L1 L3 L4 L5 acknowledged entries survive kills, once, in the order of each writer, with no gap', {
  timeout: 60_000,
}, async () => {
  await using server = await startServer();
  const sessions = await Promise.all(
    Array.from({ length: WRITERS }, (_, i) => signUp(server.url, `Writer ${i}`)),
  );
  const writers = sessions.map((session) => startWriter(server, session));

  const random = seeded(1);
  for (let kill = 0; kill < KILLS; kill++) {
    const before = acknowledgedBy(writers);
    const more = random.int(5, 40);
    await waitFor(`${more} more are acknowledged`, () => acknowledgedBy(writers) >= before + more);
    await server.kill9();
    await server.start();
  }
  const said = await Promise.all(writers.map((writer) => writer.stop()));

  const log = await wholeLog(server.url, sessions[0]!);
  expect(log.map((entry) => entry.serverOffset)).toEqual(log.map((_, index) => index + 1));
  for (const [index, session] of sessions.entries()) {
    const theirs = log.filter((entry) => entry.author === session.user.id && entry.kind === 'text');
    expect(theirs.map(bodyOf)).toEqual(said[index]);
  }
});

test('L3 a lost answer: the repeat is acknowledged with the serverOffset of the first append', async () => {
  await using server = await startServer();
  await using proxy = await startProxy(server.port);
  const session = await signUp(server.url, 'Ada');
  using watcher = await connectClient(server.url, session);
  using cutOff = await connectClient(proxy.url, session);
  const item = text('did you get this?');

  proxy.swallowAnswers();
  const unanswered = cutOff.append(item).catch(() => 'no answer');
  const entry = await watcher.hears('did you get this?');
  proxy.cut();
  proxy.pass();
  await waitFor('the connection is known to be dead', () => !cutOff.socket.connected);

  using again = await connectClient(proxy.url, session);
  expect(await again.append(item)).toMatchObject({
    results: [{ clientOffset: item.clientOffset, serverOffset: entry.serverOffset, at: entry.at }],
  });
  cutOff.close();
  expect(await unanswered).toBe('no answer');
  const log = await wholeLog(server.url, session);
  expect(log.filter((one) => one.clientOffset === item.clientOffset)).toHaveLength(1);
});

interface Writer {
  acknowledged(): number;
  /** Resolves with all written bodies, when the last one is acknowledged. */
  stop(): Promise<string[]>;
}

/** Writes one message after the other, and repeats each under its key until it is acknowledged: an outbox with one row. */
function startWriter(server: ServerProcess, session: SignedUp): Writer {
  const said: string[] = [];
  let going = true;
  const writing = (async () => {
    while (going) {
      const body = `${session.user.name} says ${said.length}`;
      await untilAcknowledged(server, session, text(body, LOBBY));
      said.push(body);
    }
  })();
  return {
    acknowledged: () => said.length,
    stop: async () => {
      going = false;
      await writing;
      return said;
    },
  };
}

async function untilAcknowledged(server: ServerProcess, session: SignedUp, item: Item): Promise<void> {
  await waitFor(`${session.user.name} is acknowledged`, async () => {
    const answer = await fetch(`${server.url}/api/append`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${session.token}` },
      body: JSON.stringify({ as: session.user.id, items: [item] }),
    }).catch(() => undefined); // killed: no connection, or no answer
    const body = (await answer?.json().catch(() => undefined)) as { results?: ItemResult[] } | undefined;
    return body?.results?.[0] !== undefined && 'serverOffset' in body.results[0];
  });
}

function acknowledgedBy(writers: readonly Writer[]): number {
  return writers.reduce((sum, writer) => sum + writer.acknowledged(), 0);
}
