/** Attacks on sign-up, sign-in and sessions, over HTTP. */
import type { Attack } from './attackContext.ts';
import { http, newKey } from './rawClient.ts';

export const accountAttacks = {
  'guesses of a password from many addresses': async (context) => {
    const name = `Victim ${newKey().slice(0, 8)}`;
    await sessionRequest(context.url, context.address(999), { name, password: 'right' });
    await context.begin();
    await context.flood(150, async (nth) => {
      const status = await sessionRequest(context.url, context.address(nth % 200), {
        name,
        password: `wrong ${nth}`,
      });
      context.count(`status ${status}`);
    });
  },

  'sign-ups with passwords from many addresses': async (context) => {
    await context.begin();
    await context.flood(100, async (nth) => {
      const name = `Nobody ${newKey().slice(0, 12)}`;
      context.count(
        `status ${await sessionRequest(context.url, context.address(nth % 200), { name, password: 'p'.repeat(200) })}`,
      );
    });
  },

  'sign-ups from one address': async (context) => {
    await context.begin();
    await context.flood(300, async () => {
      const status = await sessionRequest(context.url, context.address(), {
        name: `Nobody ${newKey().slice(0, 12)}`,
      });
      context.count(`status ${status}`);
    });
  },

  'one claim again and again': async (context) => {
    const [name, claim] = [`Nobody ${newKey().slice(0, 12)}`, newKey()];
    await context.begin();
    await context.flood(200, async (nth) => {
      const { status } = await http(context.url, 'POST', '/api/session', {
        body: { name, claim, credential: 'token' },
        from: context.address(nth % 50),
      });
      context.count(`status ${status}`);
    });
  },

  'names and passwords of combining marks by a stranger': async (context) => {
    const marks = `a${'\u0315\u0316'.repeat(3_900)}`;
    await context.begin();
    await context.flood(
      40,
      async (nth) => {
        const body = nth % 2 === 0 ? { name: marks } : { name: `N ${newKey()}`, password: marks };
        context.count(`status ${await sessionRequest(context.url, context.address(nth % 50), body)}`);
      },
      40,
    );
  },

  'sessions with tokens that do not exist': async (context) => {
    await context.begin();
    await context.flood(400, async (nth) => {
      const headers = { authorization: `Bearer ${newKey()}${newKey()}` };
      const { status } = await http(context.url, 'GET', '/api/session', {
        headers,
        from: context.address(nth % 3),
      });
      context.count(`status ${status}`);
    });
  },

  'passwords changed and guessed by an account': async (context) => {
    const people = await context.people(10);
    await context.begin();
    await context.flood(100, async (nth) => {
      const headers = { authorization: `Bearer ${people[nth % 10]!.token}` };
      const { status } = await http(context.url, 'PUT', '/api/password', {
        headers,
        body: { password: `p${nth}`, current: `c${nth}` },
        from: context.address(nth % 10),
      });
      context.count(`status ${status}`);
    });
  },

  'names changed to the same': async (context) => {
    const people = await context.people(4);
    await context.begin();
    await context.flood(300, async (nth) => {
      const headers = { authorization: `Bearer ${people[nth % 4]!.token}` };
      const { status } = await http(context.url, 'PUT', '/api/name', {
        headers,
        body: { name: `Renamed ${people[nth % 4]!.id.slice(0, 8)}` },
        from: context.address(nth % 4),
      });
      context.count(`status ${status}`);
    });
  },
} satisfies Record<string, Attack>;

async function sessionRequest(url: string, from: string, body: object): Promise<number> {
  const { status } = await http(url, 'POST', '/api/session', {
    body: { claim: newKey(), credential: 'token', ...body },
    from,
  });
  return status;
}
