import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  SLOW_FOR_MS,
  UNSENT_MAX_BYTES,
  UNSENT_SLOW_BYTES,
  UNSENT_TOTAL_BYTES,
} from '../../../server/base/serverLimits.ts';
import type { LiveServer, LiveSocket } from '../../../server/realtime/socketRecipient.ts';
import { createBackpressure } from '../../../server/realtime/unsent.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface FakeSocket {
  connected: boolean;
  /** Strings that Engine.IO has not handed on. */
  buffer: { data: string }[];
  /** Bytes in the WebSocket. */
  inWebSocket: number;
  sent: [string, unknown][];
  terminated: number;
  live: LiveSocket;
}

function fakeSocket(device: string): FakeSocket {
  const fake = {
    connected: true,
    buffer: [],
    inWebSocket: 0,
    sent: [],
    terminated: 0,
  } as unknown as FakeSocket;
  const websocket = {
    get bufferedAmount() {
      return fake.inWebSocket;
    },
    terminate() {
      fake.terminated++;
      fake.connected = false;
    },
  };
  fake.live = {
    get connected() {
      return fake.connected;
    },
    conn: {
      get writeBuffer() {
        return fake.buffer;
      },
      transport: { socket: websocket },
    },
    data: {
      identity: { device },
      sentHeads: new Map(),
      emit: (name: string, payload: unknown) => fake.sent.push([name, payload]),
    },
  } as unknown as LiveSocket;
  return fake;
}

function scene(...devices: string[]) {
  const fakes = devices.map(fakeSocket);
  const evicted: string[] = [];
  const measured: number[] = [];
  const sockets = new Map(fakes.map(({ live }, i) => [`${i}`, live]));
  const backpressure = createBackpressure({
    io: { of: () => ({ sockets }) } as unknown as LiveServer,
    onMeasured: (bytes) => measured.push(bytes),
    onEvicted: (reason) => evicted.push(reason),
  });
  return { fakes, evicted, measured, backpressure };
}

/** The length of a live frame. */
const LIVE = 5_000;
const bytes = (count: number) => ({ data: 'x'.repeat(count) });

test('a client that keeps up gets every live frame', () => {
  const { fakes, backpressure } = scene('a');
  fakes[0]!.buffer = [bytes(1_000), bytes(1_000)];
  expect(backpressure.replaces(fakes[0]!.live, 'lobby', 1, LIVE)).toBe(false);
});

test('a slow client gets `heads` instead of live frames, when it has received most', () => {
  const { fakes, backpressure } = scene('a');
  const [slow] = fakes as [FakeSocket];
  slow.buffer = [bytes(UNSENT_SLOW_BYTES), bytes(1)];
  expect(backpressure.replaces(slow.live, 'lobby', 7, LIVE)).toBe(true);
  slow.buffer = [];
  expect(backpressure.replaces(slow.live, 'lobby', 8, LIVE)).toBe(true); // no frame may overtake the heads
  expect(backpressure.replaces(slow.live, 'other', 3, LIVE)).toBe(true);
  slow.inWebSocket = UNSENT_SLOW_BYTES;
  vi.advanceTimersByTime(1_000);
  expect(slow.sent).toEqual([]);
  slow.inWebSocket = 0;
  vi.advanceTimersByTime(1_000);
  expect(slow.sent).toEqual([['heads', { lobby: 8, other: 3 }]]);
  expect(backpressure.replaces(slow.live, 'lobby', 9, LIVE)).toBe(false);
});

test('above 2 MiB the connection is closed, and the device counts as slow for a minute', () => {
  const { fakes, backpressure, evicted } = scene('a', 'b');
  fakes[0]!.buffer = [bytes(UNSENT_MAX_BYTES + 1)];
  backpressure.sent(fakes[0]!.live);
  expect(fakes.map(({ terminated }) => terminated)).toEqual([1, 0]);
  expect(evicted).toEqual(['slow']);
  expect([backpressure.wasSlow('a'), backpressure.wasSlow('b')]).toEqual([true, false]);
  vi.advanceTimersByTime(SLOW_FOR_MS + 2_000);
  expect(backpressure.wasSlow('a')).toBe(false);
});

test('a connection that only receives what others cause is found as well', () => {
  const { fakes, evicted } = scene('a');
  fakes[0]!.buffer = [bytes(UNSENT_MAX_BYTES + 1)];
  vi.advanceTimersByTime(2_000);
  expect(evicted).toEqual(['slow']);
});

test('above the bound of all connections those with most are closed', () => {
  const { fakes, evicted, measured } = scene(...Array.from({ length: 40 }, (_, i) => `${i}`));
  for (const [i, fake] of fakes.entries()) fake.inWebSocket = UNSENT_MAX_BYTES - 1_000 * i;
  vi.advanceTimersByTime(2_000);
  expect(new Set(evicted)).toEqual(new Set(['memory']));
  expect(fakes[0]!.terminated).toBe(1);
  expect(fakes.at(-1)!.terminated).toBe(0);
  const left = fakes.reduce((sum, { connected, inWebSocket }) => sum + (connected ? inWebSocket : 0), 0);
  expect(left).toBeLessThan(UNSENT_TOTAL_BYTES);
  expect(measured[0]).toBeLessThan(UNSENT_TOTAL_BYTES);
});

test('a range waits until the client has received most of what it was sent', async () => {
  const { fakes, backpressure } = scene('a');
  const [client] = fakes as [FakeSocket];
  await backpressure.drained(client.live);
  client.inWebSocket = UNSENT_SLOW_BYTES + 1;
  const begun = vi.fn();
  const waiting = backpressure.drained(client.live).then(begun);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(begun).not.toHaveBeenCalled();
  client.inWebSocket = 0;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(begun).toHaveBeenCalled();
  await waiting;
});

test('what waits for a client that is gone is rejected', async () => {
  const { fakes, backpressure } = scene('a');
  fakes[0]!.inWebSocket = UNSENT_SLOW_BYTES + 1;
  const waiting = expect(backpressure.drained(fakes[0]!.live)).rejects.toThrow('lost');
  fakes[0]!.connected = false;
  await vi.advanceTimersByTimeAsync(1_000);
  await waiting;
});
