/** When a finger that rests on a message means its menu. Pure: what the pointer does and the clock go in. */
import { assertNever } from '../../../shared/never.ts';

export interface Point {
  x: number;
  y: number;
}

export type Press =
  | { tag: 'none' }
  | { tag: 'resting'; key: string; at: Point }
  /** It was long enough: the menu is open under the finger, and lifting it means nothing more. */
  | { tag: 'long'; key: string };

export type PressEvent =
  | { type: 'down'; key: string; at: Point }
  | { type: 'move'; at: Point }
  /** LONG_PRESS_MS after `down`. */
  | { type: 'time' }
  /** Lifted, or the browser made it a scroll, or a second finger came. */
  | { type: 'end' };

/** A finger is never quite still. */
const STILL_WITHIN_PX = 10;

export const NO_PRESS: Press = { tag: 'none' };

export function press(state: Press, event: PressEvent): Press {
  switch (event.type) {
    case 'down':
      return { tag: 'resting', key: event.key, at: event.at };
    case 'move':
      return state.tag === 'resting' && isFar(state.at, event.at) ? NO_PRESS : state;
    case 'time':
      return state.tag === 'resting' ? { tag: 'long', key: state.key } : state;
    case 'end':
      return NO_PRESS;
    default:
      return assertNever(event);
  }
}

function isFar(a: Point, b: Point): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) > STILL_WITHIN_PX;
}
