/** The actions of rooms in a chunk of their own: they need the server anyway, and what shows first waits for nothing. */
import type { Outcome } from './model.ts';
import type { createRoomActions, RoomActions } from './roomActions.ts';

/** Where the chunk cannot be had, that is an answer like any other: there is no connection. */
export function createLazyRoomActions(...deps: Parameters<typeof createRoomActions>): RoomActions {
  let made: RoomActions | undefined;

  async function by<T>(act: (actions: RoomActions) => Promise<T>): Promise<T | typeof OFFLINE> {
    const module = await import('./roomActions.ts').catch(() => undefined);
    if (!module) return OFFLINE;
    made ??= module.createRoomActions(...deps); // one: it knows what was asked before
    return act(made);
  }

  return {
    createRoom: (name) => by((actions) => actions.createRoom(name)),
    joinRoom: (room) => by((actions) => actions.joinRoom(room)),
    leaveRoom: (room) => by((actions) => actions.leaveRoom(room)),
    listPublic: () => by((actions) => actions.listPublic()),
  };
}

const OFFLINE = { ok: false, reason: { code: 'offline' } } as const satisfies Outcome;
