/**
 * What was edited or deleted while one was away, in messages that are held since long: asked for when they are looked
 * at (S3). Which have been asked about is kept in memory only.
 */
import type { Users } from '../../shared/protocol/index.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { Asking } from './asking.ts';
import { type Incoming, spansOf } from './hold.ts';
import { cover, type Span, type Stretch, staleIn } from './spans.ts';
import { isRun } from './take.ts';

export interface Freshen {
  /** Brings the amendments of what is looked at up to date. `known`: there was nothing to ask. */
  freshen(room: string, seen: Stretch): Promise<'known' | 'asked' | 'no way'>;
  /** The log may be another one: what was asked about says nothing of it. */
  forget(): void;
}

interface Deps {
  db: UserDatabase;
  asking: Pick<Asking, 'range'>;
  store(incoming: Incoming, users: Users): Promise<boolean>;
}

export function createFreshen({ db, asking, store }: Deps): Freshen {
  let checked = new Map<string, Span[]>();

  /** True when all of it was answered and stored. */
  async function ask(room: string, { from, to }: Stretch): Promise<boolean> {
    const mine = checked;
    for (let next = from; next <= to; ) {
      const answer = await asking.range(room, { from: next, to });
      if (!answer || !isRun(answer.entries, next) || mine !== checked) return false;
      const { entries, amendments, head: amendedTo, users } = answer;
      await store({ room, entries, amendments, amendedTo, opens: false }, users);
      const last = entries.at(-1)!.serverOffset;
      const known = mine.get(room) ?? [];
      mine.set(room, cover(known, { from: next, to: last, amendedTo }, true) ?? known);
      next = last + 1;
    }
    return true;
  }

  return {
    async freshen(room, seen) {
      const spans = await db.read(['spans'], (tx) => spansOf(tx, room));
      const stale = staleIn(spans, checked.get(room) ?? [], seen);
      for (const piece of stale) if (!(await ask(room, piece))) return 'no way';
      return stale.length > 0 ? 'asked' : 'known';
    },
    forget() {
      checked = new Map();
    },
  };
}
