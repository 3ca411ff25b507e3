/** The route: which screen is shown. It is the hash of the address, so that the browser's Back works. */
import { createCell, type Readable } from '../../records/cell.ts';

/** `at`: the serverOffset of a message of the room. `join`: an invitation, by its token or its code. */
export type Route = { tag: 'rooms' } | { tag: 'room' | 'join'; id: string; at?: number };

export interface Router {
  readonly route: Readable<Route>;
  go(route: Route): void;
  /** Shows the list of rooms. Goes back in the history if the list was the previous screen, so that Back does not go in circles. */
  back(): void;
}

export function createRouter(window: Window): Router {
  const route = createCell(routeOf(window.location.hash));
  let before: Route | undefined;
  window.addEventListener('hashchange', () => {
    const next = routeOf(window.location.hash);
    if (hashOf(next) === hashOf(route.get())) return;
    before = route.get();
    route.set(next);
  });
  return {
    route,
    go(next) {
      window.location.hash = hashOf(next);
    },
    back() {
      if (before?.tag === 'rooms') window.history.back();
      else window.location.hash = hashOf({ tag: 'rooms' });
    },
  };
}

/**
 * `#/room/<id>` is a room, `#/room/<id>/<serverOffset>` a message of it, `#/join/<token>` an invitation, anything else the list of
 * rooms.
 */
export function routeOf(hash: string): Route {
  const [, tag, id, at] = /^#\/(room|join)\/([\w~-]+)(?:\/(\d{1,15}))?$/.exec(hash) ?? [];
  return id ? { tag: tag as 'room' | 'join', id, ...(at && { at: +at }) } : { tag: 'rooms' };
}

export function hashOf(route: Route): string {
  return route.tag === 'rooms' ? '#/' : `#/${route.tag}/${route.id}${route.at ? `/${route.at}` : ''}`;
}
