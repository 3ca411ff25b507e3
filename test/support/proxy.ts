/** A TCP proxy in front of the server that simulates bad networks: refused, silent, one-way, slow or cut connections. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Forwards everything again, also what was held. What was dropped stays lost. */
  pass(): void;
  /** Closes all connections. New ones are treated by the current mode. */
  cut(): void;
  /** Closes all connections and refuses new ones: the server is down. */
  refuse(): void;
  /** Connections stay open and new ones are accepted, but no data is forwarded: a dead spot. */
  stall(): void;
  /** Open connections stay open and never forward data again; new ones are treated by the current mode. */
  strand(): void;
  /** Forwards only to the server: answers are lost. */
  swallowAnswers(): void;
  /** Delays every chunk by this. 0 turns it off. */
  delay(ms: number): void;
  /** Limits each direction of each connection. Infinity turns it off. */
  narrow(bytesPerSecond: number): void;
  /** Closes a connection when this many more bytes went in one direction, counted over all connections. */
  cutAfter(bytes: number, way: Way): void;
  /** Bytes received by the proxy so far, by direction. */
  seen(way: Way): number;
  close(): Promise<void>;
}

/** Direction: `up` to the server, `down` to the client. */
export type Way = 'up' | 'down';
type Mode = 'pass' | 'refuse' | 'stall' | 'swallow';

export async function startProxy(upstreamPort: number): Promise<TcpProxy> {
  let mode: Mode = 'pass';
  let delayMs = 0;
  let bytesPerSecond = Number.POSITIVE_INFINITY;
  const left = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY };
  const seen = { up: 0, down: 0 };
  const sockets = new Set<Socket>();
  const stranded = new WeakSet<Socket>();
  let changed = Promise.withResolvers<void>();

  const become = (next: Mode) => {
    mode = next;
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };

  /** Forwards one direction of one connection in order, as the current mode says. */
  const carry = (from: Socket, to: Socket, way: Way) => {
    let turn: Promise<unknown> = Promise.resolve();
    let free = 0;
    const inTurn = (work: () => Promise<unknown> | undefined) => {
      turn = turn.then(() => (to.destroyed ? undefined : work()));
    };
    from.on('data', (chunk: Buffer) => {
      seen[way] += chunk.length;
      const due = performance.now() + delayMs;
      inTurn(async () => {
        await sleepUntil(due);
        while (mode === 'stall') await changed.promise;
        if (mode === 'swallow' && way === 'down') return;
        for (let at = 0; at < chunk.length && !stranded.has(to); at += PACKET_BYTES) {
          const packet = chunk.subarray(at, at + PACKET_BYTES);
          free = Math.max(free, performance.now()) + (1_000 * packet.length) / bytesPerSecond;
          await sleepUntil(free);
          if (!to.destroyed) pass(packet);
        }
      });
    });
    const pass = (packet: Buffer) => {
      const allowed = packet.subarray(0, Math.max(0, left[way]));
      left[way] -= packet.length;
      if (allowed.length > 0) to.write(allowed);
      if (left[way] > 0) return;
      left[way] = Number.POSITIVE_INFINITY;
      from.destroy();
      to.destroySoon();
    };
    from.on('end', () => inTurn(async () => void (stranded.has(to) || to.end())));
    from.on('close', () => {
      sockets.delete(from);
      if (mode !== 'stall' && !stranded.has(to)) to.destroySoon();
    });
    from.on('error', () => to.destroy());
  };

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    if (mode === 'refuse') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: upstreamPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, server]) sockets.add(socket.setNoDelay());
    carry(client, server, 'up');
    carry(server, client, 'down');
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;

  const close = async () => {
    become('refuse');
    cut();
    listener.close();
    await once(listener, 'close');
  };

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pass: () => become('pass'),
    cut,
    refuse: () => {
      become('refuse');
      cut();
    },
    stall: () => become('stall'),
    strand: () => {
      for (const socket of sockets) stranded.add(socket);
    },
    swallowAnswers: () => become('swallow'),
    delay: (ms) => {
      delayMs = ms;
    },
    narrow: (bytes) => {
      bytesPerSecond = bytes;
    },
    cutAfter: (bytes, way) => {
      left[way] = bytes;
    },
    seen: (way) => seen[way],
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A slow link carries small packets continuously, not a large one now and then. */
const PACKET_BYTES = 1_400;

async function sleepUntil(due: number): Promise<void> {
  const wait = due - performance.now();
  if (wait > 0) await sleep(wait);
}
