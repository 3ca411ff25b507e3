/** What every view may reach without being handed it through all the others. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Readable } from '../records/cell.ts';
import type { Client } from '../state/model.ts';

export interface World {
  client: Client;
  update: Update;
  router: Router;
}

/** A new build of the app: it waits until it is taken by hand. */
export interface Update {
  readonly ready: Readable<boolean>;
  /** Takes the new build; every page of the app reloads once it is in charge. */
  take(): void;
}

export type Place = { tag: 'rooms' } | { tag: 'room'; id: string };

/** Where in the app one is: the address's hash, so that the phone's Back works. */
export interface Router {
  readonly place: Readable<Place>;
  go(place: Place): void;
  /** To the rooms: back to where one came from, where that is them, so that Back does not go in circles. */
  back(): void;
}

export const WorldContext = createContext<World | undefined>(undefined);

export function useWorld(): World {
  const world = useContext(WorldContext);
  if (!world) throw new Error('a view stands outside of the world');
  return world;
}
