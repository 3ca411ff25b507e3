/**
 * A cache of user names for the frames that are sent. Kept up to date in three ways: by the process that renames a user, by
 * a message from another process (both call `changed`), and by periodic reconciliation with the store (`refresh`).
 */
import type { Entry } from '../../shared/entry.ts';
import { mentionsOf, replyToOf } from '../../shared/kinds.ts';
import { CHANGED_USERS_MAX, USER_REVS_OVERLAP } from '../../shared/limits.ts';
import type { User, Users } from '../../shared/protocol/index.ts';
import { createBatchLoader } from '../base/batchLoader.ts';
import { createRecentMap } from '../base/recentMap.ts';
import type { Named, UserStore } from '../store/port.ts';

export interface Names {
  /** The names of the authors and subjects of these entries, of those to whom they reply, and of those whom they mention, by user id. Reads unknown ones from the store. */
  of(entries: readonly Entry[]): Promise<Users>;
  /** The same of these users. */
  ofUsers(ids: readonly string[]): Promise<Users>;
  /** The same from the cache alone; undefined if one of them is not cached. */
  known(entries: readonly Entry[]): Users | undefined;
  /** Caches a name. An older revision does not replace a newer one. */
  changed(user: User): void;
  /** Reads from the store which users changed since the last refresh. */
  refresh(): Promise<void>;
}

export function createNames(store: Pick<UserStore, 'names' | 'changedSince' | 'latestRev'>): Names {
  const cached = createRecentMap<string, Named>({
    maxEntries: MAX_CACHED,
    keepMs: CACHED_MS,
    now: () => performance.now(),
  });
  let seenRev: number | undefined;
  const load = createBatchLoader<readonly string[], Map<string, Named>>({
    load: async (lists) => {
      const found = await store.names([...new Set(lists.flat())]);
      return lists.map(() => found);
    },
    most: NAMES_PER_READ,
    sizeOf: ({ length }) => length,
  });

  function changed({ id, name, rev }: User) {
    if (rev < (cached.get(id)?.rev ?? 0)) return;
    cached.set(id, { name, rev });
  }

  async function ofUsers(people: readonly string[]): Promise<Users> {
    const unknown = people.filter((id) => !cached.get(id));
    const found = unknown.length > 0 ? await load(unknown) : new Map<string, Named>();
    for (const id of unknown) {
      const named = found.get(id);
      if (named) changed({ id, ...named });
    }
    return Object.fromEntries(
      people.flatMap((id) => {
        const named = cached.get(id) ?? found.get(id);
        return named ? [[id, named]] : [];
      }),
    );
  }

  return {
    changed,
    known(entries) {
      const people = peopleOf(entries);
      const known = people.flatMap((id) => {
        const named = cached.get(id);
        return named ? [[id, named] as const] : [];
      });
      return known.length === people.length ? Object.fromEntries(known) : undefined;
    },
    of: (entries) => ofUsers(peopleOf(entries)),
    ofUsers,
    async refresh() {
      const latest = await store.latestRev();
      let rev = Math.max(0, (seenRev ?? latest) - USER_REVS_OVERLAP);
      for (;;) {
        const users = await store.changedSince(rev, CHANGED_USERS_MAX);
        for (const user of users) changed(user);
        rev = users.at(-1)?.rev ?? rev;
        if (users.length < CHANGED_USERS_MAX) break;
      }
      seenRev = Math.max(latest, rev);
    },
  };
}

function peopleOf(entries: readonly Entry[]): string[] {
  const people = entries.flatMap((entry) =>
    [
      entry.author,
      entry.subject ?? [],
      replyToOf(entry)?.author ?? [],
      mentionsOf(entry).map(({ user }) => user),
    ].flat(),
  );
  return [...new Set(people)];
}

const NAMES_PER_READ = 1_000;
const MAX_CACHED = 50_000;
const CACHED_MS = 10 * 60_000;
