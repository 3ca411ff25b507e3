/**
 * Places where an own entry was acknowledged and nothing held covers it: a repeat, after its first answer was lost. It may
 * be edited or deleted since, by another device of one's own, and it would be kept as it was written (O3). Who was told of
 * the acknowledgement may be gone before this is asked, the service worker always is: after each welcome all are asked.
 */
import { isMessage } from '../../shared/kinds.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { Eras } from './era.ts';
import { spansOf } from './readSpans.ts';
import { type Stretch, spanAt, stretchesOf } from './spans.ts';

export interface Places {
  check(room: string, serverOffset: number): void;
  /** Asks for all that is kept so, and for what is not known yet. */
  lookAtAll(): void;
  leave(room: string): void;
}

interface Deps {
  db: UserDatabase;
  me: string;
  eras: Pick<Eras, 'next'>;
  headOf(room: string): number;
  count(): number;
  fill(room: string, stretch: Stretch): Promise<'held' | 'nothing' | 'lost' | 'refused'>;
}

export function createPlaces({ db, me, eras, headOf, count, fill }: Deps): Places {
  const places = new Map<string, Set<number>>();
  let looking = false;

  function look(): void {
    if (looking || places.size === 0) return;
    looking = true;
    // after what came before it was stored: most are covered by then
    eras
      .next(async () => {})
      .then(lookUp)
      .catch((error) => console.warn('own messages were not looked up', error))
      .finally(() => {
        looking = false;
      });
  }

  async function lookUp(): Promise<void> {
    for (const [room, offsets] of places) {
      while (offsets.size > 0 && (await lookUpIn(room, offsets)));
      if (offsets.size === 0) places.delete(room); // else kept for the next connection
    }
  }

  /** False where an answer was lost. */
  async function lookUpIn(room: string, offsets: Set<number>): Promise<boolean> {
    const asked = [...offsets];
    const spans = await db.read(['logSpans'], (tx) => spansOf(tx, room));
    // beyond the head there is only what will come by itself
    const open = asked.filter((offset) => offset <= headOf(room) && !spanAt(spans, offset));
    for (const stretch of stretchesOf(open, count()))
      if ((await fill(room, stretch)) === 'lost') return false;
    for (const offset of asked) offsets.delete(offset);
    return true;
  }

  function check(room: string, serverOffset: number): void {
    places.set(room, (places.get(room) ?? new Set()).add(serverOffset));
    look();
  }

  async function lookAtAll(): Promise<void> {
    const kept = await db.read(['detached'], (tx) => tx.objectStore('detached').getAll());
    for (const entry of kept)
      if (entry.author === me && isMessage(entry)) check(entry.room, entry.serverOffset);
    look();
  }

  return {
    check,
    lookAtAll: () =>
      void lookAtAll().catch((error) => console.warn('own messages were not looked up', error)),
    leave: (room) => void places.delete(room),
  };
}
