/** Attacks before identity: what a stranger can send as a handshake. */
import type { Attack, AttackContext } from './attackContext.ts';
import { authOf, newKey, openPolling, openRaw, type SocketOptions } from './rawClient.ts';

const MB = 1_000_000;
/** Just below FRAME_MAX_BYTES. */
const LARGEST = 1_150_000;

export const handshakeAttacks = {
  '18 handshakes of 1.2 MB by a stranger': async (context) => {
    const cursors = Object.fromEntries(Array.from({ length: 30_000 }, () => [newKey(), [1, 'x']]));
    const packet = `40${JSON.stringify({ protocol: 1, features: ['entries2'], token: 'x', cursors })}`.slice(
      0,
      LARGEST,
    );
    await context.begin();
    await together(18, (nth) => strangerSends(context, nth, packet));
  },

  'cursors of 30,000 rooms by a stranger': async (context) => {
    const cursors = Object.fromEntries(Array.from({ length: 30_000 }, () => [newKey(), ['x', []]]));
    await context.begin();
    await strangersSay(context, 20, { cursors });
  },

  'cursors and proofs that are valid but for one, by a stranger': async (context) => {
    const valid = Object.fromEntries(Array.from({ length: 14_000 }, () => [newKey(), [1, 1]]));
    await context.begin();
    await strangersSay(context, 20, { cursors: valid, proofs: { lobby: 'none' } });
  },

  '500 cursors with long strings': async (context) => {
    const cursors = Object.fromEntries(
      Array.from({ length: 500 }, () => [newKey(), ['x'.repeat(2_200), 'y']]),
    );
    await context.begin();
    await strangersSay(context, 20, { cursors });
  },

  'long strings in every field': async (context) => {
    const long = 'x'.repeat(MB);
    const fields = ['token', 'as', 'epoch', 'open', 'features', 'cursors', long.slice(1)];
    await context.begin();
    await context.flood(20, async (nth) => {
      const field = fields[nth % fields.length]!;
      await strangerSays(context, nth, { [field]: field === 'features' ? [long] : long });
    });
  },

  'features by the hundred thousand': async (context) => {
    const features = Array.from({ length: 250_000 }, () => 1);
    await context.begin();
    await strangersSay(context, 15, { features });
  },

  'deep nesting': async (context) => {
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
    const packets = [`40{"protocol":1,"x":${deep}}`, `40{"protocol":1,"cursors":${deep}}`, `40${deep}`];
    await context.begin();
    await context.flood(20, (nth) => strangerSends(context, nth, packets[nth % packets.length]!));
  },

  'large handshakes by long polling': async (context) => {
    const cursors = Object.fromEntries(Array.from({ length: 30_000 }, () => [newKey(), ['x', []]]));
    const auth = { protocol: 1, features: ['entries2'], cursors };
    await context.begin();
    await context.flood(
      10,
      async (nth) => {
        await openPolling(context.url, context.address(nth % 5), auth);
      },
      18,
    );
  },

  'a second CONNECT, and CONNECTs to other namespaces': async (context) => {
    const [person] = await context.people(1);
    const auth = JSON.stringify(authOf(person!));
    await context.begin();
    await context.flood(10, async (nth) => {
      const socket = await openRaw(context.url, { from: context.address(), auth: authOf(person!) });
      for (let i = 0; i < 500; i++) {
        socket.send(nth % 2 === 0 ? `40${auth}` : `40/room-${i},${auth}`);
        socket.send(`41/room-${i},`);
      }
      socket.send(`40/${'n'.repeat(MB)},`);
      await context.pause(300);
      socket.close();
    });
  },

  'handshakes with 500 unknown rooms by an account': async (context) => {
    const [person] = await context.people(1);
    const rooms = () => Object.fromEntries(Array.from({ length: 500 }, () => [newKey(), [1, 1]]));
    await context.begin();
    await reconnects(context, 50, () => ({ auth: authOf(person!, { cursors: rooms(), proofs: rooms() }) }));
  },

  'reconnects with a valid token': async (context) => {
    const [person] = await context.people(1);
    await context.begin();
    await reconnects(context, 100, () => ({ auth: authOf(person!) }));
  },

  'reconnects with tokens that do not exist': async (context) => {
    await context.begin();
    await reconnects(context, 150, () => ({ auth: authOf({ id: newKey(), token: newKey() + newKey() }) }));
  },

  'proofs of nothing: the oldest catch-up each time': async (context) => {
    const [person] = await context.people(1);
    await context.begin();
    await reconnects(context, 80, () => ({
      auth: authOf(person!, {
        cursors: { lobby: [1, 1] },
        proofs: { lobby: [2, 2] },
        usersSince: 0,
        epoch: 'other',
      }),
    }));
  },
} satisfies Record<string, Attack>;

async function strangersSay(context: AttackContext, perSecond: number, auth: object): Promise<void> {
  const packet = `40${JSON.stringify({ protocol: 1, features: ['entries2'], token: 'x', ...auth })}`;
  await context.flood(perSecond, (nth) => strangerSends(context, nth, packet), 18);
}

function strangerSays(context: AttackContext, nth: number, auth: object): Promise<void> {
  return strangerSends(context, nth, `40${JSON.stringify({ protocol: 1, features: ['entries2'], ...auth })}`);
}

/** Resolves when the server has answered or hung up, or when the attack is over. Counts the longest refusal. */
async function strangerSends(context: AttackContext, nth: number, packet: string): Promise<void> {
  const answered = Promise.withResolvers<void>();
  const socket = await openRaw(context.url, {
    from: context.address(nth % 5),
    onPacket: (answer) => {
      if (!answer.startsWith('4')) return;
      context.count(`answer ${answer.slice(0, 2)}`);
      if (answer.length > LONGEST_REFUSAL) context.count(TOO_LONG_A_REFUSAL);
      answered.resolve();
    },
  });
  socket.send(packet);
  await Promise.race([answered.promise, socket.closed.then(() => context.count('closed')), context.wait()]);
  socket.close();
}

/** The issue: no refusal is longer than 300 bytes. Beside it, the packet has its type and the form of a `WireError`. */
const LONGEST_REFUSAL = 300 + 150;
export const TOO_LONG_A_REFUSAL = 'refusals too long';

async function reconnects(
  context: AttackContext,
  perSecond: number,
  options: () => SocketOptions,
): Promise<void> {
  await context.flood(
    perSecond,
    async () => {
      const socket = await openRaw(context.url, { from: context.address(), ...options() });
      context.count('connected');
      socket.close();
    },
    50,
  );
}

async function together(count: number, work: (nth: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, nth) => work(nth).catch(() => {})));
}
