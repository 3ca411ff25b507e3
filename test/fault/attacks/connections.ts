/** Attacks on connections: those that say nothing, that speak slowly, and that do not end. */
import type { Socket } from 'node:net';
import type { Attack, AttackContext } from './attackContext.ts';
import { openPolling, openRaw, openTcp } from './rawClient.ts';

export const connectionAttacks = {
  '1,000 connections without a byte': async (context) => {
    await context.begin();
    await open(context, 1_000, () => {});
  },

  'headers byte by byte': async (context) => {
    await context.begin();
    const request = `GET / HTTP/1.1\r\nHost: ${context.host}\r\nX-Slow: ${'s'.repeat(1_000)}`;
    await open(context, 300, (socket) => trickle(context, socket, request));
  },

  'bodies byte by byte': async (context) => {
    await context.begin();
    const head = `POST /api/session HTTP/1.1\r\nHost: ${context.host}\r\nContent-Type: application/json\r\nContent-Length: 16000\r\n\r\n`;
    await open(context, 300, (socket) => {
      socket.write(head);
      trickle(context, socket, '{"name":"'.padEnd(1_000, 'x'));
    });
  },

  'polling bodies without an end': async (context) => {
    const chunk = `10000\r\n${'4'.repeat(0x10000)}\r\n`;
    await context.begin();
    await context.flood(
      20,
      async (nth) => {
        const { sid } = await openPolling(context.url, context.address(nth % 5));
        const socket = openTcp(context.url, context.address(nth % 5));
        const path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
        socket.write(
          `POST ${path} HTTP/1.1\r\nHost: ${context.host}\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`,
        );
        for (let i = 0; i < 18 && !socket.destroyed; i++) {
          socket.write(chunk);
          context.count('chunks');
        }
        // 1.18 MB: just below what ends it. The rest never comes.
        await context.wait();
      },
      200,
    );
  },

  'polling sessions that are never polled': async (context) => {
    await context.begin();
    await context.flood(400, async (nth) => {
      await openPolling(context.url, context.address(nth % 5));
      context.count('sessions');
    });
  },

  '600 WebSockets that never CONNECT': async (context) => {
    await context.begin();
    await context.flood(600, async () => {
      await openRaw(context.url, { from: context.address() });
      context.count('open');
    });
  },

  'upgrades that stop half-way': async (context) => {
    await context.begin();
    const upgrade = `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${context.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
    const halfFrame = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 2, 3, 4]); // announces 1 MiB
    await open(context, 300, (socket) => {
      socket.write(upgrade);
      socket.once('data', () => socket.write(Buffer.concat([halfFrame, Buffer.alloc(1_000_000, 'x')])));
    });
  },

  'many headers and long ones': async (context) => {
    const many = Array.from({ length: 1_900 }, (_, i) => `a${i}: b\r\n`).join('');
    const long = `X-Forwarded-For: ${'1.2.3.4,'.repeat(1_900)}\r\n`;
    const tooLong = `X-Long: ${'x'.repeat(2_000_000)}\r\n`;
    const headers = [many, long, tooLong];
    await context.begin();
    await context.flood(
      150,
      (nth) => {
        const socket = openTcp(context.url, context.address(nth % 5));
        socket.resume();
        socket.end(`GET /api/session HTTP/1.1\r\nHost: ${context.host}\r\n${headers[nth % 3]}\r\n`);
        return new Promise((resolve) => socket.on('close', resolve));
      },
      100,
    );
  },

  'queries of 1 MB and of 15 kB': async (context) => {
    const long = 'q=%F0%9F&'.repeat(110_000);
    const head = 'GET /socket.io/?EIO=4&transport=polling&';
    const [longest, fitting] = [long, long.slice(0, 15_000)].map(
      (query) => `${head}${query} HTTP/1.1\r\nHost: ${context.host}\r\n\r\n`,
    );
    await context.begin();
    await context.flood(300, async (nth) => {
      const socket = openTcp(context.url, context.address(nth % 5));
      socket.once('data', (answer: Buffer) => {
        context.count(`status ${answer.toString().split(' ')[1]}`);
        socket.destroy();
      });
      socket.write(nth % 20 === 0 ? longest! : fitting!);
      await Promise.race([new Promise((resolve) => socket.on('close', resolve)), context.wait()]);
    });
  },

  'pipelined requests whose answers are not read': async (context) => {
    const one = `GET / HTTP/1.1\r\nHost: ${context.host}\r\n\r\n`;
    await context.begin();
    await open(context, 100, (socket) => {
      socket.pause();
      socket.write(one.repeat(2_000));
    });
  },

  'one address with 500 sockets of one account that do nothing': async (context) => {
    const [person] = await context.people(1);
    await context.begin();
    await context.flood(250, async () => {
      await openRaw(context.url, {
        from: context.address(),
        auth: { protocol: 1, features: ['entries2'], token: person!.token },
      });
      context.count('connected');
    });
  },
} satisfies Record<string, Attack>;

/** Opens TCP connections within the first half second, and waits for the end of the attack. Counts those that were ended. */
async function open(context: AttackContext, count: number, use: (socket: Socket) => void): Promise<void> {
  for (let nth = 0; nth < count && !context.over(); nth++) {
    const socket = openTcp(context.url, context.address());
    socket.on('connect', () => {
      context.count('open');
      use(socket);
    });
    socket.on('close', () => context.count('ended'));
    if (nth % 20 === 19) await context.pause(8);
  }
  await context.wait();
}

/** A byte now and a byte then. */
function trickle(context: AttackContext, socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || context.over() || at >= text.length) clearInterval(timer);
    else socket.write(text[at++]!);
  }, 50);
}
