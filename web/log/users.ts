/**
 * The names of people are latest values: of each the greatest `rev` holds. Users that were stored by version 0.1 have none,
 * which counts as 0.
 */
import type { Users } from '../../shared/protocol/index.ts';
import type { UserRead, UserWrite } from '../db/schema.ts';

/** Resolves with the ids of those that had another name here before. */
export async function putUsers(tx: UserWrite, users: Users): Promise<string[]> {
  const store = tx.objectStore('users');
  const renamed: string[] = [];
  for (const [id, user] of Object.entries(users)) {
    const before = await store.get(id);
    if (user.rev < (before?.rev ?? 0) || (before?.name === user.name && before.rev === user.rev)) continue;
    await store.put({ ...user, id });
    if (before && before.name !== user.name) renamed.push(id);
  }
  return renamed;
}

/** All changes of people in one's rooms up to this `rev` are known; undefined where none has been asked for yet. */
export async function usersUpToIn(tx: UserRead | UserWrite): Promise<number | undefined> {
  const stored = await tx.objectStore('meta').get('usersUpTo');
  return stored === undefined ? undefined : Number(stored);
}

export async function putUsersUpTo(tx: UserWrite, rev: number): Promise<void> {
  await tx.objectStore('meta').put(String(rev), 'usersUpTo');
}

/** The server's data was put back: its revisions are given again, so that what is known here has none now. */
export async function forgetRevs(tx: UserWrite): Promise<void> {
  const store = tx.objectStore('users');
  for (const user of await store.getAll()) if (user.rev > 0) await store.put({ ...user, rev: 0 });
  await tx.objectStore('meta').delete('usersUpTo');
}
