/** How views reach the client: by a preact context, and by hooks that follow observable values or parts of them. */
import { createContext } from 'preact';
import { useContext, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Readable } from '../../records/cell.ts';
import { haveSameFields } from '../../records/reuse.ts';
import type { AppState, Client, SignedIn } from '../../state/model.ts';
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
  if (!world) throw new Error('useWorld: no WorldContext.Provider');
  return world;
}

/** Returns the current value, and renders the component again after each change. */
export function useReadable<T>(readable: Readable<T>): T {
  return useSelected(readable, (value) => value);
}

/**
 * Returns a part of the current value, and renders the component again when that part has changed: another value, or an
 * object with another field.
 */
export function useSelected<T, S>(readable: Readable<T>, select: (value: T) => S): S {
  const [, setTurn] = useState(0);
  const selected = select(readable.get());
  const latest = useRef({ select, shown: selected });
  latest.current.select = select;
  if (!haveSameFields(latest.current.shown, selected)) latest.current.shown = selected;
  useLayoutEffect(() => {
    const look = () => {
      const { select, shown } = latest.current;
      if (!haveSameFields(shown, select(readable.get()))) setTurn((turn) => turn + 1);
    };
    const stop = readable.subscribe(look);
    look(); // it may have changed between rendering and subscribing
    return stop;
  }, [readable]);
  return latest.current.shown;
}

/** The same of the state of the signed-in user, for views that exist only while somebody is signed in. */
export function useSignedIn<S>(select: (app: SignedIn) => S): S {
  const last = useRef<S>(undefined);
  return useSelected(useWorld().client.app, (app: AppState) => {
    if (app.tag === 'signed-in') last.current = select(app);
    return last.current!; // signed out: this view is about to go
  });
}
