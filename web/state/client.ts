/** The client that the views call: the current user's actions, and signing in and out. */
import { createCell } from '../records/cell.ts';
import { EMPTY } from './conversation.ts';
import { createCurrentUser } from './currentUser.ts';
import type { Deps } from './deps.ts';
import { loadLater } from './loadLater.ts';
import type { Client, Refused, UserActions } from './model.ts';

/** Starts at once. `close` ends everything it runs; what is stored stays. */
export function createClient(deps: Deps): Client & { close(): void } {
  const nobodys = createCell(EMPTY);
  let opened: string | undefined;
  const current = createCurrentUser(deps, () => opened);

  return {
    ...forward(() => current.client ?? NOBODY),
    app: current.app,
    conversation: (room) => current.client?.conversation(room) ?? nobodys,
    signIn: current.signIn,
    signInByCode: current.signInByCode,
    signOut: current.signOut,
    setPassword: current.setPassword,
    devices: async () => (await loadLater()).createDeviceCalls(deps),
    keepers: async () => (await loadLater()).createKeeperCalls(deps),
    people: async () => (await loadLater()).createPeopleCalls(deps),
    async open(room) {
      opened = room;
      await current.client?.open(room);
    },
    retryStorage() {
      if (current.client) current.client.retryStorage();
      else current.reopen();
    },
    close: current.close,
  };
}

const nothing = (): undefined => {};
const refuse = async (): Promise<Refused> => ({ ok: false, reason: { code: 'unauthorized' } });

/** The actions while nobody is signed in. */
const NOBODY: UserActions = {
  loadOlder: nothing,
  loadNewer: nothing,
  loadBetween: nothing,
  jumpTo: async () => false,
  toNewest: nothing,
  newestOwn: async () => undefined,
  leaveAt: nothing,
  send: refuse,
  retry: refuse,
  amend: refuse,
  discard: refuse,
  react: refuse,
  edit: refuse,
  remove: refuse,
  takeDown: refuse,
  seen: nothing,
  typed: nothing,
  ask: refuse,
  draft: async () => '',
  saveDraft: nothing,
  onSentElsewhere: nothing,
};

/** Each action calls the one of whoever is signed in at the time of the call. */
function forward(user: () => UserActions): UserActions {
  const names = Object.keys(NOBODY) as (keyof UserActions)[];
  const actions = names.map((name) => [
    name,
    (...args: unknown[]) => (user()[name] as (...args: unknown[]) => unknown)(...args),
  ]);
  return Object.fromEntries(actions);
}
