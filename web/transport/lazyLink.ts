/**
 * The connection in a chunk of its own: nothing is connected before the first paint, and what is held shows without it. It is
 * fetched once that is painted; until it is here nobody is asked anything, and what it was told is told again then.
 */

import type { Timer } from '../db/clock.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { ConnectionEvent } from './connection.ts';
import type { Link, LinkDeps } from './link.ts';

/** Begins once what `first` gives resolves; it is called after the present turn. */
export function createLazyLink(deps: LinkDeps, first: () => Promise<unknown>): Link {
  const told: ConnectionEvent[] = [];
  let link: Link | undefined;
  let closed = false;
  let again: Timer | undefined;

  async function load(): Promise<void> {
    if (closed) return;
    try {
      const { createLink } = await import('./link.ts');
      if (closed) return;
      link = createLink(deps);
      for (const event of told.splice(0)) link.tell(event);
    } catch (error) {
      console.warn('what connects could not be fetched', error);
      again = deps.clock.setTimeout(load, RETRY_MAX_MS);
    }
  }

  void Promise.resolve()
    .then(first)
    .then(load, () => {});

  return {
    status: () => link?.status() ?? (deps.online ? 'connecting' : 'offline'),
    tell(event) {
      if (link) link.tell(event);
      else told.push(event);
    },
    request(name, payload, answered) {
      if (link) link.request(name, payload, answered);
      else answered(undefined);
    },
    ask: async (...of) => link?.ask(...of),
    close() {
      closed = true;
      if (again !== undefined) deps.clock.clearTimeout(again);
      link?.close();
    },
  };
}
