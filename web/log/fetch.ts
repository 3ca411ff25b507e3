/** What the database lacks of the logs, asked for: up to the head as soon as that is known, in holes when looked at. */
import type { Entry } from '../../shared/entry.ts';
import type { Users } from '../../shared/protocol/index.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { Asking } from './asking.ts';
import { cursorIn, type Incoming, spansOf } from './hold.ts';
import { cursorOf, holeAbove, holeBelow, missing, type Stretch, spanAt } from './spans.ts';
import { isRun } from './take.ts';

export interface Fetch {
  /** The server said that a room goes so far: `exactly`, or that far at least. */
  know(room: string, head: number, exactly?: 'exactly'): void;
  headOf(room: string): number;
  forget(): void;
  /** Fetches what is missing up to the head, in each room one range at a time. */
  want(room: string): void;
  /** Fetches what lies directly before `from`, or after `to`, in a hole. False when there was none, or no way. */
  older(room: string, from: number): Promise<boolean>;
  newer(room: string, to: number): Promise<boolean>;
  /** Fetches what is at one place, if that lies in a hole. */
  at(room: string, serverOffset: number): Promise<void>;
  isBusy(): boolean;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  asking: Pick<Asking, 'range'>;
  /** Stores in the order in which things came; true when it is held now. */
  store(incoming: Incoming, users: Users): Promise<boolean>;
  /** `isBusy` may have another answer. */
  progressed(): void;
}

/** How much of a hole is fetched at once when it is looked at. */
const HOLE_ENTRIES = 100;

export function createFetch(deps: Deps): Fetch {
  const { db, asking } = deps;
  const heads = new Map<string, number>();
  const fetching = new Map<string, 'once' | 'again'>();
  let closed = false;

  function know(room: string, head: number, exactly?: 'exactly'): void {
    heads.set(room, exactly ? head : Math.max(head, heads.get(room) ?? 0));
  }

  function want(room: string): void {
    if (fetching.has(room)) {
      fetching.set(room, 'again');
      return;
    }
    fetching.set(room, 'once');
    fetchMissing(room)
      .catch((error) => {
        if (!closed) console.warn('what was missing could not be stored', error);
      })
      .then(() => {
        const again = fetching.get(room) === 'again';
        fetching.delete(room);
        if (closed) return;
        if (again) want(room);
        else deps.progressed();
      });
  }

  async function fetchMissing(room: string): Promise<void> {
    for (let fetched = true; fetched && !closed; ) {
      const cursor = await db.read(['spans'], (tx) => cursorIn(tx, room));
      const stretch = missing(cursor, heads.get(room) ?? 0);
      if (!stretch) return;
      deps.progressed();
      fetched = await fill(room, stretch);
    }
  }

  /** All of a stretch, in as many answers as it takes, stored at once: a part of it might touch nothing that is held. */
  async function fill(room: string, { from, to }: Stretch): Promise<boolean> {
    const entries: Entry[] = [];
    const amendments: Entry[] = [];
    const users: Users = {};
    let amendedTo = Number.POSITIVE_INFINITY;
    for (let head = to; from + entries.length <= Math.min(to, head); ) {
      const next = from + entries.length;
      const answer = await asking.range(room, { from: next, to });
      if (!answer || closed) return false;
      head = answer.head;
      amendedTo = Math.min(amendedTo, head);
      know(room, head, head < next ? 'exactly' : undefined);
      if (!isRun(answer.entries, next)) return false;
      entries.push(...answer.entries);
      amendments.push(...answer.amendments);
      Object.assign(users, answer.users);
    }
    const opens = entries.at(-1)?.serverOffset === amendedTo;
    return entries.length > 0 && deps.store({ room, entries, amendments, amendedTo, opens }, users);
  }

  return {
    know,
    headOf: (room) => heads.get(room) ?? 0,
    forget: () => heads.clear(),
    want,
    async older(room, from) {
      const hole = holeBelow(await db.read(['spans'], (tx) => spansOf(tx, room)), from);
      return (
        hole !== undefined && fill(room, { ...hole, from: Math.max(hole.from, hole.to - HOLE_ENTRIES + 1) })
      );
    },
    async newer(room, to) {
      const hole = holeAbove(await db.read(['spans'], (tx) => spansOf(tx, room)), to);
      return (
        hole !== undefined && fill(room, { ...hole, to: Math.min(hole.to, hole.from + HOLE_ENTRIES - 1) })
      );
    },
    async at(room, serverOffset) {
      const spans = await db.read(['spans'], (tx) => spansOf(tx, room));
      if (serverOffset > cursorOf(spans) || spanAt(spans, serverOffset)) return; // held, or about to come by itself
      await fill(room, { from: serverOffset, to: serverOffset });
    },
    isBusy: () => fetching.size > 0,
    close() {
      closed = true;
    },
  };
}
