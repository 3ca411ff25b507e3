/** Many messages of others, for tests of catch-up. */
import { ITEMS_BURST } from '../../../shared/limits.ts';
import { post, signUp, text } from '../../support/api.ts';
import { expect } from '../fixtures.ts';

const AT_ONCE = 100;

/** Sends all bodies to the lobby in order, from as many users as the rate limit requires. */
export async function crowdSays(url: string, bodies: readonly string[]): Promise<void> {
  for (let from = 0; from < bodies.length; from += ITEMS_BURST) {
    const { user, token } = await signUp(url, `Guest ${from / ITEMS_BURST + 1} of ${bodies[0]}`);
    const theirs = bodies.slice(from, from + ITEMS_BURST);
    for (let next = 0; next < theirs.length; next += AT_ONCE) {
      const items = theirs.slice(next, next + AT_ONCE).map((body) => text(body));
      const answer = await post(
        url,
        '/api/append',
        { as: user.id, items },
        { authorization: `Bearer ${token}` },
      );
      const { results } = (await answer.json()) as { results: { serverOffset?: number }[] };
      expect(results.filter(({ serverOffset }) => serverOffset !== undefined)).toHaveLength(items.length);
    }
  }
}

/** `missed 1`, `missed 2` … */
export function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);
}
