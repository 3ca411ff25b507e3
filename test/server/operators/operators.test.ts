/** The namespace `/admin`, of one process and of two. */
import { spawnSync } from 'node:child_process';
import { MongoAdapter } from '@socket.io/mongo-adapter';
import bcrypt from 'bcryptjs';
import { Manager } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Config, parseEnv } from '../../../server/base/env.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { PROTOCOL, REQUIRED_FEATURE } from '../../../shared/protocol/index.ts';
import { ADMIN_HASH, ADMIN_PASSWORD, connectAdmin } from '../../support/adminClient.ts';
import { connectClient, newId, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { waitFor } from '../../support/waitFor.ts';

const ADMIN: Partial<Config> = { admin: { passwordHash: ADMIN_HASH, mayChange: false } };
const WITH_CHANGES: Partial<Config> = { admin: { passwordHash: ADMIN_HASH, mayChange: true } };

const page = async (url: string, path: string) => {
  const answer = await fetch(url + path, { redirect: 'manual', headers: { accept: 'text/html' } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

describe('off by default', () => {
  test('there is no page, and no namespace', async () => {
    await using app = await startApp();
    for (const path of ['/admin', '/admin/', '/admin/js/app.js'])
      expect(await page(app.url, path)).toMatchObject({ status: 404, text: 'There is nothing here.\n' });
    await expect(connectAdmin(app.url)).rejects.toThrow('Invalid namespace');
  });
});

describe('the page', () => {
  test('every file that it names is here, nothing comes from elsewhere, and no script but its own may run', async () => {
    await using app = await startApp({ config: ADMIN });
    expect(await page(app.url, '/admin')).toMatchObject({ status: 302 });
    const index = await page(app.url, '/admin/');
    expect(index.status).toBe(200);
    expect(index.text).not.toContain('https:');
    const files = [...index.text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file]) => file!);
    expect(files).toContain('first.js');
    expect(files.length).toBeGreaterThan(6);
    for (const file of [...files, 'icons/fonts/materialdesignicons-webfont.woff2'])
      expect([file, (await page(app.url, `/admin/${file}`)).status]).toEqual([file, 200]);
    for (const path of ['/admin/../package.json', '/admin/%2e%2e/package.json', '/admin/x', '/admin/js/'])
      expect((await page(app.url, path)).text).not.toContain('"version"');
    expect((await page(app.url, '/admin/js/app.0d7d7845.js.map')).status).toBe(404);

    const policyOf = async (path: string) =>
      (await page(app.url, path)).headers.get('content-security-policy')!.split(';');
    expect(await policyOf('/admin/')).toContain("script-src 'self'");
    expect(await policyOf('/admin/')).toContain("default-src 'none'");
    for (const path of ['/', '/administrator', '/api/session'])
      expect((await policyOf(path)).join()).not.toContain('unsafe');
  });
});

test('`npm run admin-password` prints a setting that the server takes, and refuses what is too short or too long', async () => {
  const made = spawnSync(process.execPath, ['server/adminPassword/main.ts'], {
    input: `${ADMIN_PASSWORD}\n`,
  });
  const [, hash] = /^ADMIN_PASSWORD_HASH='(.*)'\n$/.exec(made.stdout.toString()) ?? [];
  expect(parseEnv({ ADMIN_PASSWORD_HASH: hash }).admin?.passwordHash).toBe(hash);
  expect(await bcrypt.compare(ADMIN_PASSWORD, hash!)).toBe(true);
  for (const input of ['short\n', `${'x'.repeat(73)}\n`]) {
    const refused = spawnSync(process.execPath, ['server/adminPassword/main.ts'], { input });
    expect([refused.status, refused.stdout.toString()]).toEqual([78, '']);
  }
});

describe('the password', () => {
  test('right: in; wrong, no string, none, of a foreign page, or after five wrong ones: refused, and the server goes on', async () => {
    await using app = await startApp({ config: ADMIN });
    for (const auth of [
      { password: 'wrong' },
      { password: 5 },
      { password: { $ne: '' } },
      { password: 'x'.repeat(100) },
      {},
      // of before a restart of the only process: no guess
      ...Array.from({ length: 6 }, () => ({ sessionId: 'unknown' })),
    ])
      await expect(connectAdmin(app.url, auth)).rejects.toThrow(/invalid credentials|type the password/);
    using admin = await connectAdmin(app.url);
    expect(admin.packets.join()).toContain('AGGREGATED_EVENTS');
    for (let n = 0; n < 4; n++)
      await expect(connectAdmin(app.url, { password: `guess ${n}` })).rejects.toThrow('invalid credentials');
    // five were wrong, also those without a check
    await expect(connectAdmin(app.url)).rejects.toThrow('too many attempts');
    const answer = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: 'https://admin.socket.io' },
    });
    expect(answer.status).toBe(403);
  });
});

describe('two namespaces on one connection', () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp({ config: ADMIN });
  });
  afterAll(() => app?.stop());

  test.for(['/', '/admin'])('whichever comes first (%s): both work', async (first) => {
    const session = await signUp(app.url, `ada ${first}`);
    const manager = new Manager(app.url, {
      transports: ['websocket'],
      reconnection: false,
      autoConnect: false,
    });
    const chat = manager.socket('/', {
      auth: { protocol: PROTOCOL, features: [REQUIRED_FEATURE], token: session.token },
    });
    const admin = manager.socket('/admin', { auth: { password: ADMIN_PASSWORD } });
    const heard: string[] = [];
    chat.on('welcome', () => heard.push('welcome'));
    admin.on('config', () => heard.push('config'));
    const [one, other] = first === '/' ? [chat, admin] : [admin, chat];
    await new Promise<void>((resolve) => one.connect().once('connect', resolve));
    other.connect();
    await waitFor('both', () => heard.length === 2);
    const answer = await chat.emitWithAck('append', { as: session.user.id, items: [text('hello')] });
    expect(answer.ok).toBe(true);
    admin.close();
    const again = await chat.emitWithAck('append', { as: session.user.id, items: [text('alone')] });
    expect(again.ok).toBe(true);
    chat.close();
  });

  test('without a password, packets of that namespace change nothing, and long or odd ones end the connection', async () => {
    const session = await signUp(app.url, 'ada');
    using ada = await connectClient(app.url, session);
    using bo = await connectClient(app.url, await signUp(app.url, 'bo'));
    const ended = new Promise((resolve) => ada.socket.once('disconnect', resolve));
    ada.socket.io.engine.write(`0/admin,{"password":"${'x'.repeat(600)}"}`);
    await ended;
    expect((await bo.append(text('still here'))).ok).toBe(true);
  });
});

describe('of two processes', () => {
  let mongo: MongoServer;
  let here: RunningApp;
  let there: RunningApp;
  beforeAll(async () => {
    mongo = await startMongo();
    here = await startApp({ mongodbUrl: mongo.url, config: WITH_CHANGES });
    there = await startApp({ mongodbUrl: mongo.url, config: ADMIN });
  });
  afterAll(async () => {
    await Promise.all([here?.stop(), there?.stop()]);
    await mongo?.[Symbol.asyncDispose]();
  });

  test('shows both and their sockets, and nothing of what people say, who they are, or what they are signed in by', async () => {
    const ada = await signUp(here.url, 'ada marker-name');
    const bo = await signUp(there.url, 'bo marker-name', { password: 'marker-password' });
    using one = await connectClient(here.url, ada);
    using admin = await connectAdmin(here.url);
    using other = await connectClient(there.url, bo, { transports: ['polling', 'websocket'] });
    const room = newId();
    await one.makeRoom({ id: room, kind: 'private', name: 'marker-room' });
    await one.append(text('marker-text one'), text('marker-text in a room', room));
    await other.append(text('marker-text two'));
    await one.hears('marker-text two');
    one.socket.emit('typing', { room: LOBBY, typing: true });
    await waitFor(
      'the sockets of both',
      () => admin.shown().has(one.socket.id!) && admin.shown().has(other.socket.id!),
    );
    const ids = [one, other].map(({ socket }) => admin.shown().get(socket.id!)!);
    expect(ids).toMatchObject([{ nsp: '/' }, { nsp: '/', data: { rooms: 1 } }]);
    // as two containers with one host name: both run in this process
    const clientsCount = expect.any(Number);
    expect([...admin.stats().values()]).toMatchObject([{ clientsCount }, { clientsCount }]);
    const gone = other.socket.id!;
    other.close();
    await waitFor('it is told who has gone', () => !admin.shown().has(gone));
    const sent = admin.packets.join('\n');
    expect(sent).toContain(one.socket.id!);
    for (const secret of [
      'marker',
      ada.token,
      bo.token,
      ada.user.id,
      bo.user.id,
      ada.device,
      room,
      ADMIN_PASSWORD,
      ADMIN_HASH,
      '127.0.0.1',
      one.socket.io.engine.id,
      '"entries"',
      '"append"',
      'user-agent',
    ])
      expect(sent).not.toContain(secret);
  });

  test('a session is told to the other one, and asked for by one that has started since, though it hears of the others late', async () => {
    using admin = await connectAdmin(here.url);
    const sessionId = await waitFor('the session', () => admin.session());
    using _told = await connectAdmin(there.url, { sessionId });
    // the answers to its first words come before its change stream is open
    let deafUntil = Number.POSITIVE_INFINITY;
    const { onEvent } = MongoAdapter.prototype;
    const events = vi.spyOn(MongoAdapter.prototype, 'onEvent').mockImplementation(async function (
      this: MongoAdapter,
      event,
    ) {
      if (performance.now() >= deafUntil) await onEvent.call(this, event);
    });
    onTestFinished(() => events.mockRestore());
    await using late = await startApp({ mongodbUrl: mongo.url, config: ADMIN });
    deafUntil = performance.now() + 2_000;
    using _asked = await connectAdmin(late.url, { sessionId });
    await expect(connectAdmin(there.url, { sessionId: `${sessionId}x` })).rejects.toThrow(/invalid/);
  });

  test('a process that stops hands its sessions over: an operator is known after all processes were replaced one by one, and no client waits for that', async () => {
    const mongodbUrl = mongo.anotherUrl();
    const said = vi.spyOn(MongoAdapter.prototype, 'serverSideEmit');
    onTestFinished(() => said.mockRestore());
    let old = await startApp({ mongodbUrl, config: ADMIN });
    using ada = await connectClient(old.url, await signUp(old.url, 'ada of the old one'));
    using admin = await connectAdmin(old.url);
    const sessionId = await waitFor('the session', () => admin.session());
    const shares = () => said.mock.calls.filter(([[event]]) => event === 'sessions').length;
    const saidByThen = new Promise((resolve) => ada.socket.once('disconnect', () => resolve(shares())));
    const replaceBy = async (config: Partial<Config>) => {
      const next = await startApp({ mongodbUrl, config });
      await old.stop();
      old = next;
    };
    await replaceBy(ADMIN);
    expect(shares()).toBe(3);
    expect(await saidByThen).toBeLessThan(3); // nobody who is connected waits for all of it
    await replaceBy(ADMIN);
    await using last = old;
    using _known = await connectAdmin(last.url, { sessionId });
  });

  test('with changes an operator makes a client of the other one connect again; without, and by other commands, nothing happens', async () => {
    using ada = await connectClient(here.url, await signUp(here.url, 'ada again'));
    using bo = await connectClient(there.url, await signUp(there.url, 'bo again'));
    using reader = await connectAdmin(there.url);
    using changer = await connectAdmin(here.url);
    const ended: string[] = [];
    for (const [name, { socket }] of Object.entries({ ada, bo }))
      socket.once('disconnect', (reason) => ended.push(`${name}: ${reason}`));
    reader.socket.emit('_disconnect', '/', true, ada.socket.id);
    for (const admin of [reader, changer]) {
      admin.socket.emit('emit', '/', '', 'bye', { retryAfter: 1 });
      admin.socket.emit('join', '/', 'room:secret', ada.socket.id);
      admin.socket.emit('_disconnect', '/', true, '');
      admin.socket.emit('_disconnect', '/', true, `room:${LOBBY}`);
    }
    changer.socket.emit('_disconnect', '/', false, bo.socket.id);
    await waitFor('bo is disconnected', () => ended.length > 0);
    expect(ended).toEqual(['bo: transport close']); // so the app connects again by itself
    expect(ada.frames.map(({ event }) => event)).not.toContain('bye');
    expect((await ada.append(text('still here'))).ok).toBe(true);
  });
});
