/** `npm run migrate` as an operator calls it, on a real server that apps use. */
// @module-tag slow
import { expect, test } from 'vitest';
import { addressOf, clientOf, placeOf } from '../../../server/store/mongo/open/address.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { connectClient, signUp, text, wholeLog } from '../../support/api.ts';
import { startMongo } from '../../support/mongo/index.ts';
import { runServerToItsEnd, startServer } from '../../support/serverProcess.ts';
import { run } from '../../support/tools.ts';
import { waitFor } from '../../support/waitFor.ts';
import {
  bodies,
  createBrowser,
  inPage,
  isLive,
  look,
  numbered,
  signedUpIn,
} from '../../web/state/realBrowser.ts';

const migrate = (env: Record<string, string | undefined>, ...words: string[]) =>
  run(process.execPath, ['server/migrate/main.ts', ...words], { env });

test('L1 L3 O2 a database moves under apps that write all the time: they notice a pause, nobody signs in again, and everything is there once and in order', {
  timeout: 90_000,
}, async () => {
  await using mongo = await startMongo();
  await using server = await startServer();
  const { data } = server;
  const ada = createBrowser(server);
  const first = await signedUpIn(ada, 'Ada');
  const lin = createBrowser(server);
  const offline = await signedUpIn(lin, 'Lin');
  const shown = await look(first.page);
  // one is away, with a full outbox
  const held = numbered('held', 60);
  lin.isOnline = false;
  offline.page.close();
  const away = lin.openPage();
  await inPage(away);
  for (const body of held) expect(await away.send(LOBBY, body)).toEqual({ ok: true });
  away.close();
  // one writes directly, so that the log grows while it is copied
  using bob = await connectClient(server.url, await signUp(server.url, 'Bob'));
  for (let i = 0; i < 20; i++) await bob.append(...numbered(`bob ${i}`, 50).map((body) => text(body)));

  // one is here, and never stops to write
  const sent: string[] = [];
  let stops = false;
  const writing = (async () => {
    while (!stops) {
      const body = `ada ${sent.length}`;
      expect(await first.page.send(LOBBY, body)).toEqual({ ok: true });
      sent.push(body);
      await waitFor(
        'a few wait at most',
        async () => stops || (await inPage(first.page)).waiting < 40,
        30_000,
      );
    }
  })();

  const moved = await migrate({ DATA: data, MONGODB_URL: undefined }, '--to', mongo.url);
  expect(moved.output).toMatch(
    /was moved to mongodb:\/\/.*: [\d,]+ entries in 1 rooms\. Nothing could be written for/,
  );
  expect(moved.code).toBe(0);
  await waitFor('the server has ended by itself', () => !server.isAlive());
  expect(server.logs()).toMatch(/was moved to mongodb:\/\/.*: set MONGODB_URL/);
  const again = await runServerToItsEnd({ DATA: data });
  expect(again).toEqual({
    code: 78,
    output: expect.stringMatching(/was moved to .*: set MONGODB_URL to that address/),
  });

  await using next = await startServer({ env: { MONGODB_URL: mongo.url } });
  ada.reaches(next);
  lin.reaches(next);
  await isLive(first.page);
  stops = true;
  await writing;
  lin.isOnline = true;
  const back = lin.openPage();
  expect((await inPage(back)).user.id).toBe(offline.user.id);
  for (const page of [first.page, back])
    await waitFor('all is sent', async () => (await inPage(page)).waiting === 0, 30_000);
  const eva = await signUp(next.url, 'Eva');
  const log = await wholeLog(next.url, eva);
  expect(log.map(({ serverOffset }) => serverOffset)).toEqual(log.map((_, i) => i + 1));
  const by = (user: string) =>
    log.flatMap((entry) =>
      entry.author === user && entry.kind === 'text' ? (entry as { body?: string }).body! : [],
    );
  expect(by(first.user.id)).toEqual(sent);
  expect(by(offline.user.id)).toEqual(held);
  using carl = await connectClient(next.url, eva);
  await carl.append(text('the end'));
  await waitFor('the page shows what is new', () => {
    if (bodies(shown()).at(-1) !== 'the end') first.page.toNewest(LOBBY);
    return bodies(shown()).at(-1) === 'the end';
  });
});

test('the place that people read has neither user nor password', () => {
  const placed = (url: string) => placeOf(addressOf(clientOf(url, {}), url), url);
  const options = 'replicaSet=rs0&authSource=admin&tlsCertificateKeyFilePassword=secret';
  expect(placed(`mongodb://ada:secret@db1:27017,db2/chat?${options}`)).toBe(
    'mongodb://db1:27017,db2:27017/chat?replicaSet=rs0',
  );
  expect(placed('mongodb+srv://ada:secret@cluster.example.org/chat')).toBe(
    'mongodb+srv://cluster.example.org/chat',
  );
});

test('bad input: one sentence that says what to do', async () => {
  await using server = await startServer();
  const env = { DATA: server.data, MONGODB_URL: undefined };
  expect(await migrate(env)).toEqual({
    code: 64,
    output: expect.stringContaining('npm run migrate -- --to mongodb://HOST/NAME'),
  });
  expect(await migrate(env, '--from', 'x')).toMatchObject({ code: 64 });
  const secret = await migrate(env, '--to', 'mongodb://ada:secret@/');
  expect([secret.code, secret.output]).toEqual([
    78,
    expect.stringContaining('must be mongodb://host:port/database'),
  ]);
  expect(secret.output).not.toContain('secret');
  const nothing = await migrate({ ...env, DATA: '/nowhere' }, '--to', 'mongodb://127.0.0.1:9/x');
  expect([nothing.code, nothing.output]).toEqual([
    78,
    expect.stringMatching(/There is no database .*set DATA/),
  ]);
  expect(await migrate(env, '--cancel')).toMatchObject({
    code: 0,
    output: expect.stringContaining('given up'),
  });
});
