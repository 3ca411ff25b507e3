/** Attacks with frames: too many, too large when unpacked, in too many pieces. */
import { LOBBY } from '../../../shared/mint.ts';
import type { Attack, AttackContext } from './attackContext.ts';
import { authOf, newKey, openPolling, openRaw, type RawSocket, SEPARATOR } from './rawClient.ts';

export const frameAttacks = {
  '300 sockets with one token send 2,000 frames at once': async (context) => {
    const [person] = await context.people(1);
    const sockets: RawSocket[] = [];
    const opening = Array.from({ length: 300 }, (_, nth) => nth);
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (opening.pop() !== undefined) {
          const opened = openRaw(context.url, { from: context.address(), auth: authOf(person!) });
          await opened.then(
            (socket) => sockets.push(socket),
            () => context.count('refused'),
          );
        }
      }),
    );
    context.count('sockets', sockets.length);
    await context.begin();
    while (!context.over()) {
      for (let i = 0; i < 2_000 && sockets.length > 0; i++)
        void sockets[i % sockets.length]!.request('range', { room: LOBBY, from: 1, to: 200 }).then(
          context.answered,
        );
      await context.pause(1_000);
    }
  },

  'unknown events': async (context) => {
    const sockets = await members(context, 5);
    await context.begin();
    await context.flood(5_000, (nth) => {
      sockets[nth % sockets.length]!.emit(`event-${nth}`, { nth });
      return undefined;
    });
  },

  'requests above the rate, each refused': async (context) => {
    const sockets = await members(context, 10);
    await context.begin();
    await context.flood(
      5_000,
      async (nth) => context.answered(await sockets[nth % sockets.length]!.request('room:list', {})),
      2_000,
    );
  },

  'binary packets that announce attachments without end': async (context) => {
    const sockets = await members(context, 20);
    const megabyte = Buffer.alloc(1_100_000);
    await context.begin();
    await context.flood(200, (nth) => {
      const socket = sockets[nth % sockets.length]!;
      if (socket.ws.bufferedAmount > 2_000_000) return undefined;
      const announced = nth < sockets.length ? '10' : '1000000000';
      if (nth < sockets.length || !socket.isOpen())
        socket.send(`45${announced}-["append",{"_placeholder":true,"num":0}]`);
      socket.send(megabyte);
      context.count('attachments');
      return undefined;
    });
    context.count('still open', sockets.filter((socket) => socket.isOpen()).length);
  },

  'compressed frames of a thousand times their size': async (context) => {
    const [person] = await context.people(1);
    const sockets = await Promise.all(
      Array.from({ length: 4 }, () =>
        openRaw(context.url, { from: context.address(), auth: authOf(person!), deflate: true }),
      ),
    );
    const bomb = `42["append",{"as":"${'x'.repeat(1_150_000)}"}]`;
    await context.begin();
    await context.flood(60, (nth) => {
      sockets[nth % sockets.length]!.send(bomb);
      context.count('bombs');
      return undefined;
    });
  },

  'compressed frames of 16 MB': async (context) => {
    const bomb = 'x'.repeat(16_000_000);
    await context.begin();
    await context.flood(
      4,
      async () => {
        const socket = await openRaw(context.url, { from: context.address(), deflate: true });
        socket.send(bomb);
        await Promise.race([socket.closed, context.wait()]);
        context.count('closed');
      },
      4,
    );
  },

  'messages in pieces of one byte': async (context) => {
    await context.begin();
    const sockets = await Promise.all(
      Array.from({ length: 8 }, () => openRaw(context.url, { from: context.address() })),
    );
    await context.flood(100, (nth) => {
      const { ws } = sockets[nth % sockets.length]!;
      if (ws.readyState !== ws.OPEN || ws.bufferedAmount > 1_000_000) return undefined;
      for (let i = 0; i < 500; i++) ws.send('4', { fin: false }, () => {});
      context.count('pieces', 500);
      return undefined;
    });
  },

  'messages of no bytes, and pongs': async (context) => {
    await context.begin();
    const sockets = await Promise.all(
      Array.from({ length: 4 }, () => openRaw(context.url, { from: context.address() })),
    );
    await context.flood(400, (nth) => {
      const socket = sockets[nth % sockets.length]!;
      if (socket.ws.bufferedAmount > 1_000_000) return undefined;
      for (let i = 0; i < 50; i++) {
        socket.send('3');
        socket.ws.pong(Buffer.alloc(0), true, () => {});
      }
      context.count('packets', 100);
      return undefined;
    });
  },

  'polling payloads of a hundred thousand packets': async (context) => {
    const tiny = Array.from({ length: 140_000 }, () => '42["x"]').join(SEPARATOR);
    const pongs = Array.from({ length: 500_000 }, () => '3').join(SEPARATOR);
    const connects = Array.from({ length: 200_000 }, () => '40{}').join(SEPARATOR);
    await context.begin();
    await context.flood(
      10,
      async (nth) => {
        const session = await openPolling(context.url, context.address(nth % 5));
        const { status } = await session.post([tiny, pongs, connects][nth % 3]!);
        context.count(`status ${status}`);
      },
      10,
    );
  },

  'polling payloads of many packets by an account': async (context) => {
    const [person] = await context.people(1);
    const session = await openPolling(context.url, context.address(), authOf(person!));
    const requests = Array.from({ length: 40_000 }, (_, nth) => `42${nth}["beat"]`).join(SEPARATOR);
    await context.begin();
    await context.flood(8, async () => context.count(`status ${(await session.post(requests)).status}`), 8);
  },

  'payloads of many keys and of deep nesting': async (context) => {
    const sockets = await members(context, 4);
    const keys = `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":${i}`).join()}}`;
    const deep = `${'['.repeat(550_000)}${']'.repeat(550_000)}`;
    const items = `{"as":"x","items":[${Array.from({ length: 500_000 }, () => 1).join()}]}`;
    const packets = [`42["append",${keys}]`, `42["range",${deep}]`, `42["append",${items}]`, `42[${keys}]`];
    await context.begin();
    await context.flood(20, (nth) => {
      const socket = sockets[nth % sockets.length]!;
      if (socket.ws.bufferedAmount > 8_000_000) return undefined;
      socket.send(packets[nth % packets.length]!.replace('[', `${''}[`));
      context.count('payloads');
      return undefined;
    });
  },

  'errors of 100 items, each with a long key': async (context) => {
    const [person] = await context.people(1);
    const socket = await openRaw(context.url, { from: context.address(), auth: authOf(person!) });
    const items = Array.from({ length: 100 }, () => ({
      kind: '\u202e'.repeat(90),
      clientOffset: 'k'.repeat(300),
      [newKey()]: 1,
    }));
    await context.begin();
    await context.flood(90, async () =>
      context.answered(await socket.request('append', { as: person!.id, items })),
    );
  },
} satisfies Record<string, Attack>;

/** Sockets of as many accounts. */
async function members(context: AttackContext, count: number): Promise<RawSocket[]> {
  const people = await context.people(count);
  return Promise.all(
    people.map((person, nth) => openRaw(context.url, { from: context.address(nth), auth: authOf(person) })),
  );
}
