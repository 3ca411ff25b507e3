/** Dependencies that every view can reach through the preact context. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
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
