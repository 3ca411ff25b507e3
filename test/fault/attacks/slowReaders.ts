/** Attacks by clients that do not read what they are sent. */
import { LOBBY } from '../../../shared/mint.ts';
import type { Attack, AttackContext } from './attackContext.ts';
import { authOf, newKey, openPolling, openRaw, type Person } from './rawClient.ts';

/** 4,000 code points of 3 bytes each: the longest message. */
const LONG_TEXT = '…'.repeat(4_000);

export const slowReaderAttacks = {
  'a socket that never reads requests ranges': async (context) => {
    const [writer, ...readers] = await context.people(5);
    const { last } = await fill(context, writer!, 200);
    const sockets = await Promise.all(
      readers.map((person) =>
        openRaw(context.url, { from: context.address(), auth: authOf(person, ownCursor(last)) }),
      ),
    );
    for (const socket of sockets) socket.pause();
    const range = { room: LOBBY, from: Math.max(1, last.serverOffset - 199), to: last.serverOffset };
    await context.begin();
    await context.flood(90 * sockets.length, (nth) => {
      void sockets[nth % sockets.length]!.request('range', range);
      context.count('ranges');
      return undefined;
    });
    context.count('still open', sockets.filter((socket) => socket.isOpen()).length);
  },

  'sockets that never read, while others write into their rooms': async (context) => {
    const people = await context.people(9);
    const writers = people.slice(0, 3);
    const readers = people.slice(3);
    await context.begin();
    await Promise.all(
      readers.flatMap((person) =>
        Array.from({ length: 5 }, async () => {
          const socket = await openRaw(context.url, { from: context.address(), auth: authOf(person) });
          socket.pause();
        }),
      ),
    ).catch(() => {});
    await writeMuch(context, writers);
  },

  'a session of long polling that never polls requests ranges': async (context) => {
    const [writer, reader] = await context.people(2);
    const { last } = await fill(context, writer!, 200);
    const session = await openPolling(context.url, context.address(), authOf(reader!, ownCursor(last)));
    await context.begin();
    await context.flood(100, async (nth) => {
      const range = { room: LOBBY, from: Math.max(1, last.serverOffset - 199), to: last.serverOffset };
      const { status } = await session.post(`42${nth}${JSON.stringify(['range', range])}`);
      context.count(`status ${status}`);
    });
  },

  'sessions of long polling that never poll, while others write': async (context) => {
    const [person, ...writers] = await context.people(4);
    await context.begin();
    for (let i = 0; i < 20; i++)
      await openPolling(context.url, context.address(), authOf(person!)).catch(() =>
        context.count('refused'),
      );
    await writeMuch(context, writers);
  },

  'pings and unread pongs': async (context) => {
    await context.begin();
    const sockets = await Promise.all(
      Array.from({ length: 2 }, () => openRaw(context.url, { from: context.address() })),
    );
    for (const socket of sockets) socket.pause();
    const pings = Buffer.concat(Array.from({ length: PINGS_AT_ONCE }, () => PING));
    await context.flood(400, (nth) => {
      if (sockets[nth % sockets.length]!.sendBytes(pings)) context.count('pings', PINGS_AT_ONCE);
      return undefined;
    });
  },

  'unread answers to beats and to nonsense': async (context) => {
    const [person] = await context.people(1);
    const sockets = await Promise.all(
      Array.from({ length: 10 }, () =>
        openRaw(context.url, { from: context.address(), auth: authOf(person!) }),
      ),
    );
    for (const socket of sockets) socket.pause();
    await context.begin();
    await context.flood(2_000, (nth) => {
      void sockets[nth % sockets.length]!.request(nth % 2 === 0 ? 'beat' : 'nonsense', 'x'.repeat(200));
      return undefined;
    });
  },

  'a slow reader that comes back for its catch-up again and again': async (context) => {
    const [writer, reader] = await context.people(2);
    await fill(context, writer!, 100);
    await context.begin();
    await context.flood(
      60,
      async () => {
        const socket = await openRaw(context.url, { from: context.address(), auth: authOf(reader!) });
        socket.pause();
        context.count('connected');
        await context.pause(500);
        socket.close();
      },
      100,
    );
  },
} satisfies Record<string, Attack>;

const PINGS_AT_ONCE = 500;
/** A ping of the WebSocket with the longest payload, masked with zeros. */
const PING = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125, 'p')]);

/** Appends long texts, as fast as the item limit lets them through. */
async function fill(
  context: AttackContext,
  writer: Person,
  count: number,
): Promise<{ last: { serverOffset: number; at: number } }> {
  const socket = await openRaw(context.url, { from: context.address(3), auth: authOf(writer) });
  let last: { serverOffset: number; at: number } | undefined;
  for (let sent = 0; sent < count; sent += 4) {
    const answer = await socket.request('append', { as: writer.id, items: longTexts(4) });
    last = (answer?.results?.at(-1) as unknown as typeof last) ?? last;
  }
  socket.close();
  if (last === undefined) throw new Error('nothing was appended');
  return { last };
}

function longTexts(count: number) {
  return Array.from({ length: count }, () => ({
    kind: 'text',
    room: LOBBY,
    clientOffset: newKey(),
    body: LONG_TEXT,
  }));
}

function ownCursor({ serverOffset, at }: { serverOffset: number; at: number }) {
  return { cursors: { [LOBBY]: [serverOffset, at] } };
}

/** Each writer appends 4 long texts (48 kB), 12 times a second: what the item limit allows. */
async function writeMuch(context: AttackContext, writers: readonly Person[]): Promise<void> {
  const sockets = await Promise.all(
    writers.map((person, nth) =>
      openRaw(context.url, { from: context.address(nth + 1), auth: authOf(person) }),
    ),
  );
  await context.flood(12 * writers.length, async (nth) => {
    const person = writers[nth % writers.length]!;
    const answer = await sockets[nth % writers.length]!.request('append', {
      as: person.id,
      items: longTexts(4),
    });
    context.answered(answer);
  });
}
