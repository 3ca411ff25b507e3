import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProxy, type TcpProxy } from './proxy.ts';
import { waitFor } from './waitFor.ts';

let echo: Server;
let heard: string;
let proxy: TcpProxy;

beforeEach(async () => {
  heard = '';
  echo = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        heard += chunk;
        socket.write(chunk);
      });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startProxy((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  echo.close();
});

interface Caller {
  socket: Socket;
  answer(): string;
  ended(): boolean;
}

async function call(): Promise<Caller> {
  const socket = connect(proxy.port, '127.0.0.1');
  let answer = '';
  let ended = false;
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      ended = true;
    });
  await new Promise((resolve) => socket.on('connect', resolve).on('close', resolve));
  return { socket, answer: () => answer, ended: () => ended };
}

test('forwards both directions, and counts the bytes', async () => {
  const caller = await call();
  caller.socket.write('hello');
  await waitFor('the echo', () => caller.answer() === 'hello');
  expect([proxy.seen('up'), proxy.seen('down')]).toEqual([5, 5]);
});

test('cut closes open connections and accepts new ones; refuse does not accept', async () => {
  const caller = await call();
  proxy.cut();
  await waitFor('the end', caller.ended);
  const second = await call();
  second.socket.write('again');
  await waitFor('the echo', () => second.answer() === 'again');
  proxy.refuse();
  await waitFor('the end', second.ended);
  const third = await call();
  await waitFor('the end', third.ended);
});

test('stall holds bytes back, and pass forwards them, in order', async () => {
  const caller = await call();
  proxy.stall();
  caller.socket.write('one ');
  await waitFor('the proxy has it', () => proxy.seen('up') === 4);
  caller.socket.write('two');
  expect(heard).toBe('');
  proxy.pass();
  await waitFor('the echo', () => caller.answer() === 'one two');
});

test('strand keeps open connections open and mute for ever, and accepts new ones', async () => {
  const caller = await call();
  caller.socket.write('one');
  await waitFor('the echo', () => caller.answer() === 'one');
  proxy.strand();
  caller.socket.write('two');
  await waitFor('the proxy has it', () => proxy.seen('up') === 6);
  const other = await call();
  other.socket.write('three');
  await waitFor('the echo', () => other.answer() === 'three');
  expect([heard, caller.answer(), caller.ended()]).toEqual(['onethree', 'one', false]);
});

test('swallowAnswers forwards to the server, and nothing to the client', async () => {
  const caller = await call();
  proxy.swallowAnswers();
  caller.socket.write('lost');
  await waitFor('the server has answered', () => proxy.seen('down') === 4);
  proxy.pass();
  caller.socket.write('found');
  await waitFor('the echo', () => caller.answer() === 'found');
  expect(heard).toBe('lostfound');
});

test('cutAfter forwards the given number of bytes and closes the connection', async () => {
  const caller = await call();
  proxy.cutAfter(3, 'down');
  caller.socket.write('hello');
  await waitFor('the end', caller.ended);
  expect(caller.answer()).toBe('hel');
});

test('delay and narrow slow the connection down', async () => {
  const caller = await call();
  proxy.delay(30);
  proxy.narrow(1_000);
  const start = performance.now();
  caller.socket.write('x'.repeat(50));
  await waitFor('the echo', () => caller.answer().length === 50);
  expect(performance.now() - start).toBeGreaterThan(2 * 30 + 2 * 50 - 20);
});
