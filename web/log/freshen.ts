/**
 * What was edited or deleted while one was away, in messages that are held since long: asked for when they are looked
 * at (S3). Which have been asked about is kept in memory only.
 */
import type { UserDatabase } from '../db/schema.ts';
import type { Asking } from './asking.ts';
import type { Eras } from './era.ts';
import { spansOf } from './readSpans.ts';
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
  asking: Pick<Asking, 'range' | 'count'>;
  eras: Pick<Eras, 'now' | 'answer'>;
}

type Freshened = 'known' | 'asked' | 'no way';

export function createFreshen({ db, asking, eras }: Deps): Freshen {
  let checked = new Map<string, Span[]>();
  /** What is under way, per room: one at a time, so that nothing is asked twice. */
  const busy = new Map<string, Promise<Freshened>>();

  async function freshenNow(room: string, seen: Stretch): Promise<Freshened> {
    const spans = await db.read(['logSpans'], (tx) => spansOf(tx, room));
    const stale = staleIn(spans, checked.get(room) ?? [], seen);
    for (const piece of stale) if (!(await ask(room, piece))) return 'no way';
    return stale.length > 0 ? 'asked' : 'known';
  }

  /** True when all of it was answered and stored. */
  async function ask(room: string, { from, to }: Stretch): Promise<boolean> {
    const mine = checked;
    const era = eras.now();
    if (!era) return false;
    for (let next = from; next <= to; ) {
      const piece = { from: next, to: Math.min(to, next + asking.count() - 1) };
      const ranged = await asking.range(era, room, piece);
      if (ranged.tag !== 'answered' || !isRun(ranged.answer.entries, next)) return false;
      const { entries, amendments, head: amendedTo, users } = ranged.answer;
      const last = entries.at(-1)!.serverOffset;
      const known = mine.get(room) ?? [];
      const now = cover(known, { from: next, to: last, amendedTo }, true) ?? known;
      const incoming = { room, entries, amendments, amendedTo, opens: false, checked: now };
      if (!(await eras.answer(era, incoming, users)) || mine !== checked) return false;
      mine.set(room, now);
      next = last + 1;
    }
    return true;
  }

  return {
    freshen(room, seen) {
      const before = busy.get(room) ?? Promise.resolve();
      const mine = before.then(
        () => freshenNow(room, seen),
        () => freshenNow(room, seen),
      );
      busy.set(room, mine);
      const over = () => void (busy.get(room) === mine && busy.delete(room));
      mine.then(over, over);
      return mine;
    },
    forget() {
      checked = new Map();
    },
  };
}
