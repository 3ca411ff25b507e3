/**
 * Stores the names of users. A name is a latest value: the greatest `rev` wins. Users stored by version 0.1 have no `rev`,
 * which counts as 0.
 */
import type { Users } from '../../../shared/protocol/index.ts';
import type { UserRead, UserWrite } from '../../db/userDatabase.ts';

/** Resolves with the ids of users whose stored name changed. */
export async function putUsers(tx: UserWrite, users: Users): Promise<string[]> {
  const store = tx.objectStore('users');
  const ids = Object.keys(users);
  const stored = await Promise.all(ids.map((id) => store.get(id)));
  const renamed: string[] = [];
  const writes: Promise<unknown>[] = [];
  for (const [i, id] of ids.entries()) {
    const [user, before] = [users[id]!, stored[i]];
    if (user.rev < (before?.rev ?? 0) || (before?.name === user.name && before.rev === user.rev)) continue;
    writes.push(store.put({ ...user, id }));
    if (before && before.name !== user.name) renamed.push(id);
  }
  await Promise.all(writes);
  return renamed;
}

/** All names of users in the user's rooms are known up to this `rev`; undefined before the first welcome. */
export async function readUsersUpTo(tx: UserRead | UserWrite): Promise<number | undefined> {
  const stored = await tx.objectStore('meta').get('usersUpTo');
  return stored === undefined ? undefined : Number(stored);
}

export async function putUsersUpTo(tx: UserWrite, rev: number): Promise<void> {
  await tx.objectStore('meta').put(String(rev), 'usersUpTo');
}

/** The server's data was restored from a backup, so it assigns the same revisions again: any name it sends wins now. */
export async function resetUserRevs(tx: UserWrite): Promise<void> {
  const store = tx.objectStore('users');
  for (const user of await store.getAll()) if (user.rev > 0) await store.put({ ...user, rev: 0 });
  await tx.objectStore('meta').delete('usersUpTo');
}
