/** Attacks with requests that are valid, and whose cost is in the store. */
import { LOBBY } from '../../../shared/mint.ts';
import { creation } from '../../support/api.ts';
import type { Attack, AttackContext } from './attackContext.ts';
import { authOf, http, newKey, openRaw, type Person, type RawSocket } from './rawClient.ts';

export const storeAttacks = {
  'targets that do not exist': async (context) => {
    const members = await connected(context, 5);
    await context.begin();
    await context.flood(250, async (nth) => {
      const { person, socket } = members[nth % members.length]!;
      const items = Array.from({ length: 100 }, () => ({
        kind: 'edit',
        room: LOBBY,
        clientOffset: newKey(),
        target: newKey(),
        body: 'x',
      }));
      context.answered(await socket.request('append', { as: person.id, items }));
    });
  },

  'items into rooms that do not exist': async (context) => {
    const members = await connected(context, 5);
    await context.begin();
    await context.flood(250, async (nth) => {
      const { person, socket } = members[nth % members.length]!;
      const items = Array.from({ length: 100 }, () => text('x', newKey()));
      context.answered(await socket.request('append', { as: person.id, items }));
    });
  },

  'ranges with many amendments': async (context) => {
    const [member, ...others] = await connected(context, 6);
    const targets = Array.from({ length: 50 }, () => text('to be edited'));
    const first = await member!.socket.request('append', { as: member!.person.id, items: targets });
    const { serverOffset } = first!.results![0] as { serverOffset: number };
    for (let i = 0; i < 9; i++) {
      const items = targets.map(({ clientOffset }) => ({
        kind: 'edit',
        room: LOBBY,
        clientOffset: newKey(),
        target: clientOffset,
        body: 'e'.repeat(200),
      }));
      await member!.socket.request('append', { as: member!.person.id, items });
    }
    await context.begin();
    await context.flood(400, async (nth) => {
      const from = serverOffset + (nth % 100);
      context.answered(
        await others[nth % others.length]!.socket.request('range', { room: LOBBY, from, to: from + 199 }),
      );
    });
  },

  'ranges over HTTP': async (context) => {
    const people = await context.people(4);
    await context.begin();
    await context.flood(200, async (nth) => {
      const headers = { authorization: `Bearer ${people[nth % 4]!.token}` };
      const path = `/api/rooms/${LOBBY}/entries?from=${1 + (nth % 50)}&to=${200 + (nth % 50)}`;
      context.count(
        `status ${(await http(context.url, 'GET', path, { headers, from: context.address() })).status}`,
      );
    });
  },

  'lists of rooms': async (context) => {
    const members = await connected(context, 8);
    await context.begin();
    await context.flood(700, async (nth) =>
      context.answered(
        await members[nth % 8]!.socket.request('room:list', nth % 2 ? {} : { after: newKey() }),
      ),
    );
  },

  'read markers back and forth': async (context) => {
    const members = await connected(context, 8);
    await context.begin();
    await context.flood(700, async (nth) =>
      context.answered(await members[nth % 8]!.socket.request('read', { room: LOBBY, upTo: nth })),
    );
  },

  'names of a thousand times their size': async (context) => {
    const [member] = await connected(context, 1);
    const long = '\ufdfa'.repeat(390_000); // NFKC makes 18 characters of each
    const marks = `a${'\u0315\u0316'.repeat(150_000)}`; // NFC sorts them, in quadratic time
    await context.begin();
    await context.flood(
      5,
      async (nth) => {
        const name = nth % 2 === 0 ? long : marks;
        context.answered(await appendOne(member!, creation({ id: newKey(), kind: 'public', name })));
      },
      3,
    );
  },

  'texts that take long to normalize': async (context) => {
    const members = await connected(context, 3);
    const bodies = [
      `a${'\u0315\u0316'.repeat(1_990)}`,
      '\ufdfa'.repeat(4_000),
      '\u1fb7'.repeat(4_000),
      ' \n'.repeat(1_990),
    ];
    await context.begin();
    await context.flood(60, async (nth) => {
      const { person, socket } = members[nth % 3]!;
      const items = Array.from({ length: 4 }, () => text(bodies[nth % bodies.length]!));
      context.answered(await socket.request('append', { as: person.id, items }));
    });
  },

  'the longest texts as fast as the limits allow': async (context) => {
    const members = await connected(context, 4);
    await context.begin();
    await context.flood(50, async (nth) => {
      const { person, socket } = members[nth % 4]!;
      context.answered(
        await socket.request('append', {
          as: person.id,
          items: Array.from({ length: 4 }, () => text('…'.repeat(4_000))),
        }),
      );
    });
  },

  'repeats of one batch': async (context) => {
    const [member] = await connected(context, 1);
    const items = Array.from({ length: 100 }, () => text('again'));
    await context.begin();
    await context.flood(95, async () =>
      context.answered(await member!.socket.request('append', { as: member!.person.id, items })),
    );
  },

  'joins and leaves': async (context) => {
    const members = await connected(context, 2);
    await context.begin();
    await context.flood(400, async (nth) => {
      const { socket } = members[nth % 2]!;
      const event = Math.floor(nth / 2) % 2 === 0 ? 'room:leave' : 'room:join';
      const answer = await socket.request(event, { room: LOBBY, clientOffset: newKey() });
      context.answered(answer);
      if (answer?.ok) context.count(ENTRIES_OF_MEMBERSHIP);
    });
  },

  '300 public rooms': async (context) => {
    const [member] = await connected(context, 1);
    await context.begin();
    await context.flood(250, async (nth) => {
      const room = { id: newKey(), kind: 'public', name: `Room ${nth}` };
      const answer = await appendOne(member!, creation(room));
      context.answered(answer);
      if (JSON.stringify(answer).includes('serverOffset')) context.count(ROOMS_CREATED);
    });
  },
} satisfies Record<string, Attack>;

/** Counted by the attacks above: what must not grow with the attacker's zeal. */
export const ENTRIES_OF_MEMBERSHIP = 'entries of membership';
export const ROOMS_CREATED = 'rooms created';

interface ConnectedMember {
  person: Person;
  socket: RawSocket;
}

function appendOne({ person, socket }: ConnectedMember, item: unknown) {
  return socket.request('append', { as: person.id, items: [item] });
}

async function connected(context: AttackContext, count: number): Promise<ConnectedMember[]> {
  const people = await context.people(count);
  return Promise.all(
    people.map(async (person, nth) => ({
      person,
      socket: await openRaw(context.url, { from: context.address(nth), auth: authOf(person) }),
    })),
  );
}

function text(body: string, room: string = LOBBY) {
  return { kind: 'text', room, clientOffset: newKey(), body };
}
