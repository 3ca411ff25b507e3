/** How views reach the client: by a preact context, and by a hook that follows observable values. */
import { createContext } from 'preact';
import { useContext, useLayoutEffect, useState } from 'preact/hooks';
import type { Readable } from '../../records/cell.ts';
import type { Client } from '../../state/model.ts';
import type { Router } from './router.ts';

export interface World {
  client: Client;
  update: Update;
  router: Router;
}

/** A new build of the app. It is installed only on request. */
export interface Update {
  readonly ready: Readable<boolean>;
  /** Activates the new build; then every tab of the app reloads. */
  take(): void;
}

export const WorldContext = createContext<World | undefined>(undefined);

/** Throws outside of a `WorldContext.Provider`. */
export function useWorld(): World {
  const world = useContext(WorldContext);
  if (!world) throw new Error('useWorld: there is no WorldContext.Provider above this component');
  return world;
}

/** Returns the current value, and renders the component again after each change. */
export function useReadable<T>(readable: Readable<T>): T {
  const [, setTurn] = useState(0);
  const shown = readable.get();
  useLayoutEffect(() => {
    const renderAgain = () => setTurn((turn) => turn + 1);
    const stop = readable.subscribe(renderAgain);
    if (!Object.is(readable.get(), shown)) renderAgain(); // it has changed between rendering and subscribing
    return stop;
  }, [readable]);
  return shown;
}
