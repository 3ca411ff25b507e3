import type { UserStore } from '../store/port.ts';

interface SignOutDeps {
  store: Pick<UserStore, 'devicesOf' | 'removeDevice'>;
  now: () => number;
  onSignedOut: (device: string) => unknown;
}

/** Signs out the devices of this user without `keep`. May be repeated where it was interrupted. */
export async function signOutAllBut(
  { store, now, onSignedOut }: SignOutDeps,
  user: string,
  keep: string,
): Promise<void> {
  for (const { id } of await store.devicesOf(user)) {
    if (id === keep) continue;
    await store.removeDevice(user, id, now());
    await onSignedOut(id);
  }
}
