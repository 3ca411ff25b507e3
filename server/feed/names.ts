import type { Entry } from '../../shared/entry.ts';
import type { Users } from '../../shared/protocol/index.ts';
import type { UserStore } from '../store/port.ts';

/** The names that go with a frame of entries. A name is asked for once and remembered. */
export interface Names {
  of(entries: readonly Entry[]): Promise<Users>;
  /** The same without asking anybody; undefined when one of them is not known here. */
  known(entries: readonly Entry[]): Users | undefined;
  remember(user: { id: string; name: string }): void;
}

export function createNames(store: Pick<UserStore, 'names'>): Names {
  const remembered = new Map<string, string>();

  function remember({ id, name }: { id: string; name: string }) {
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(id, name);
  }

  return {
    remember,
    known(entries) {
      const authors = authorsOf(entries);
      return authors.every((id) => remembered.has(id))
        ? Object.fromEntries(authors.map((id) => [id, remembered.get(id)!]))
        : undefined;
    },
    async of(entries) {
      const authors = authorsOf(entries);
      const names = new Map(authors.flatMap((id) => (remembered.has(id) ? [[id, remembered.get(id)!]] : [])));
      const unknown = authors.filter((id) => !names.has(id));
      for (const [id, name] of unknown.length > 0 ? await store.names(unknown) : []) {
        remember({ id, name });
        names.set(id, name);
      }
      return Object.fromEntries(names);
    },
  };
}

function authorsOf(entries: readonly Entry[]): string[] {
  return [...new Set(entries.map((entry) => entry.author))];
}

const REMEMBERED = 50_000;
