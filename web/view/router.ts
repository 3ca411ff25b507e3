import { createCell } from '../records/cell.ts';
import type { Place, Router } from './context.ts';

export function createRouter(window: Window): Router {
  const place = createCell(placeOf(window.location.hash));
  let before: Place | undefined;
  window.addEventListener('hashchange', () => {
    const next = placeOf(window.location.hash);
    if (hashOf(next) === hashOf(place.get())) return;
    before = place.get();
    place.set(next);
  });
  return {
    place,
    go(next) {
      window.location.hash = hashOf(next);
    },
    back() {
      if (before?.tag === 'rooms') window.history.back();
      else window.location.hash = hashOf({ tag: 'rooms' });
    },
  };
}

/** `#/room/<id>` is a room, anything else the list of them. */
export function placeOf(hash: string): Place {
  const id = /^#\/room\/([\w-]+)$/.exec(hash)?.[1];
  return id === undefined ? { tag: 'rooms' } : { tag: 'room', id };
}

export function hashOf(place: Place): string {
  return place.tag === 'room' ? `#/room/${place.id}` : '#/';
}
