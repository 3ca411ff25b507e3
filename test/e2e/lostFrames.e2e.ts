/** Lost or reordered live frames: the page repairs its log from the server (S2). */
import type { Page } from '@playwright/test';
import { HEADS_EVERY_MS } from '../../shared/limits.ts';
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { expect, expectInOrder, message, signUp, test } from './fixtures.ts';

interface Tampered {
  /** How often the page has connected since then. */
  connections(): number;
  /** Closes the connection, as a network failure does. */
  cut(): void;
}

/** Reloads the page with an interceptor between its socket and the server that can delay or drop each frame. */
async function tamper(page: Page, carry: (frame: string, deliver: () => void) => void): Promise<Tampered> {
  let cut = () => {};
  let connections = 0;
  await page.routeWebSocket(/\/socket\.io\//, (socket) => {
    connections++;
    const server = socket.connectToServer();
    server.onMessage((frame) => carry(String(frame), () => socket.send(frame)));
    cut = () => {
      server.close();
      socket.close({ code: 1012 });
    };
  });
  await page.reload();
  return { cut: () => cut(), connections: () => connections };
}

function bringsEntry(frame: string, body: string): boolean {
  return frame.startsWith('42["entries"') && frame.includes(`"${body}`);
}

test('S2 a dropped live frame leaves no hole', async ({ server, phone }) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(server.url);
  const dropped: string[] = [];
  await tamper(page, (frame, deliver) => (bringsEntry(frame, 'number 2') ? dropped.push(frame) : deliver()));
  await signUp(page, 'Ada');
  await bob.append(text('number 0'));
  await expectInOrder(page, ['number 0']); // the catch-up is complete; the next frames are live

  for (const n of [1, 2, 3]) {
    await bob.append(text(`number ${n}`));
    await bob.hears(`number ${n}`); // one frame for each
  }
  await expectInOrder(page, ['number 0', 'number 1', 'number 2', 'number 3']);
  expect(dropped).toHaveLength(1);
});

test('S2 the last frame is dropped: `heads` reveals it, and it is loaded without a reconnect', async ({
  server,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(server.url);
  const dropped: string[] = [];
  const { connections } = await tamper(page, (frame, deliver) =>
    bringsEntry(frame, 'the last') ? dropped.push(frame) : deliver(),
  );
  await signUp(page, 'Ada');
  await bob.append(text('before'));
  await expectInOrder(page, ['before']);
  const connected = connections();

  await bob.append(text('the last'));
  await expect.poll(() => dropped.length).toBe(1);
  await expect(message(page, 'the last')).toBeVisible({ timeout: HEADS_EVERY_MS + 5_000 });
  expect(connections()).toBe(connected);
});

test('S2 a live frame that arrives before the catch-up does not hide a hole', async ({ server, phone }) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(server.url);
  const held: (() => void)[] = [];
  const { cut } = await tamper(page, (frame, deliver) =>
    bringsEntry(frame, 'missed') ? held.push(deliver) : deliver(),
  );
  await signUp(page, 'Ada');
  await bob.append(text('before'));
  await expectInOrder(page, ['before']);

  cut();
  const missed = Array.from({ length: 5 }, (_, i) => `missed ${i}`);
  await bob.append(...missed.map((body) => text(body)));
  await expect.poll(() => held.length).toBeGreaterThan(0);
  await bob.append(text('live'));
  await expectInOrder(page, ['before', ...missed, 'live']); // by a range request, since the delayed frames are still held back
  for (const deliver of held) deliver();
  await bob.append(text('after'));
  await expectInOrder(page, ['before', ...missed, 'live', 'after']);
});
