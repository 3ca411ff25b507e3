/**
 * The names that go with a frame of entries: asked for once and remembered. A name is a latest value, so a remembered one
 * can be out of date: `changed` is called by the process that changes one, by a message of another process, and by the
 * periodic reconciliation (`refresh`), which asks the store who changed since it asked last.
 */
import type { Entry } from '../../shared/entry.ts';
import { CHANGED_USERS_MAX, USER_REVS_OVERLAP } from '../../shared/limits.ts';
import type { User, Users } from '../../shared/protocol/index.ts';
import type { Named, UserStore } from '../store/port.ts';

export interface Names {
  /** Of the authors and subjects of these entries, by user id. */
  of(entries: readonly Entry[]): Promise<Users>;
  /** The same without asking the store; undefined when one of them is not known here. */
  known(entries: readonly Entry[]): Users | undefined;
  /** A name as somebody has just read it: the greater `rev` holds. */
  changed(user: User): void;
  /** Asks the store for changes that nobody told of. */
  refresh(): Promise<void>;
}

export function createNames(store: Pick<UserStore, 'names' | 'changedSince' | 'latestRev'>): Names {
  const remembered = new Map<string, Named>();
  let seenRev: number | undefined;

  function changed({ id, name, rev }: User) {
    if (rev < (remembered.get(id)?.rev ?? 0)) return;
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(id, { name, rev });
  }

  return {
    changed,
    known(entries) {
      const people = peopleOf(entries);
      return people.every((id) => remembered.has(id))
        ? Object.fromEntries(people.map((id) => [id, remembered.get(id)!]))
        : undefined;
    },
    async of(entries) {
      const people = peopleOf(entries);
      const unknown = people.filter((id) => !remembered.has(id));
      const found = unknown.length > 0 ? await store.names(unknown) : new Map<string, Named>();
      for (const [id, named] of found) changed({ id, ...named });
      return Object.fromEntries(
        people.flatMap((id) => {
          const named = remembered.get(id) ?? found.get(id);
          return named ? [[id, named]] : [];
        }),
      );
    },
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
  const people = entries.flatMap(({ author, subject }) =>
    subject === undefined ? author : [author, subject],
  );
  return [...new Set(people)];
}

const REMEMBERED = 50_000;
