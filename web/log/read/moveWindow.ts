/** Moves the window of a log: a page up or down, and to a gap that is filled. In the engine's chunk, with the quotes: the first paint moves nothing. */
import { readSpans } from '../../db/lookups.ts';
import type { UserRead } from '../../db/userDatabase.ts';
import { WINDOW_MAX_LINES, WINDOW_PAGE_LINES } from '../../records/pageLimits.ts';
import { subtractRanges } from '../../records/spans.ts';
import { readQuotes } from './readQuotes.ts';
import { readReactions } from './readReactions.ts';
import { readRunPeople } from './runPeople.ts';
import {
  AT_NEWEST,
  type Gap,
  type GapEdge,
  positionBefore,
  positionsOf,
  sizeOf,
  type Window,
  type WindowAnchor,
} from './window.ts';

/** The window so many lines further up. */
export async function anchorOlder(
  tx: UserRead,
  room: string,
  window: Window,
  lines: number,
): Promise<WindowAnchor> {
  const { anchor, queue } = window;
  const first = positionsOf(window)[0];
  if (!first) return anchor;
  const grown = sizeOf(window) + lines;
  const count = Math.min(grown, WINDOW_MAX_LINES);
  const from = await positionBefore(tx, room, first, lines, queue);
  // a gap comes into view and will be filled in pieces: the line that was first stays in the window
  if (
    first.tag === 'line' &&
    from.tag === 'line' &&
    (await isGapBetween(tx, room, from.offset, first.offset))
  )
    return { tag: 'around', offset: first.offset, before: lines, count };
  if (anchor.tag === 'newest' && grown <= WINDOW_MAX_LINES) return { tag: 'newest', count };
  return { tag: 'from', from, count };
}

async function isGapBetween(tx: UserRead, room: string, above: number, below: number): Promise<boolean> {
  return subtractRanges({ from: above + 1, to: below - 1 }, await readSpans(tx, room)).length > 0;
}

/** The window so many lines further down. */
export function anchorNewer(window: Window, lines: number): WindowAnchor {
  const { anchor } = window;
  const positions = positionsOf(window);
  const first = anchor.tag === 'from' ? anchor.from : positions[0];
  if (anchor.tag === 'newest' || !first) return AT_NEWEST;
  const grown = positions.length + lines;
  if (grown <= WINDOW_MAX_LINES) return { tag: 'from', from: first, count: grown };
  const from = positions[grown - WINDOW_MAX_LINES] ?? first;
  return { tag: 'from', from, count: WINDOW_MAX_LINES };
}

/**
 * The window while one of its gaps is being filled. `upper`: from the newer end downwards; the lines below the gap stay in
 * the window. `lower`: from the older end upwards; the lines above it stay.
 */
export function anchorAtGap({ anchor }: Window, { from, to }: Gap, edge: GapEdge): WindowAnchor {
  const isSteady = edge === 'upper' ? anchor.tag === 'newest' : anchor.tag === 'from';
  if (isSteady) return anchor;
  const offset = edge === 'upper' ? to + 1 : from - 1;
  const before = edge === 'upper' ? WINDOW_PAGE_LINES : 2 * WINDOW_PAGE_LINES;
  return { tag: 'around', offset, before, count: WINDOW_MAX_LINES };
}

export const windowMoves = {
  anchorOlder,
  anchorNewer,
  anchorAtGap,
  readQuotes,
  readReactions,
  readRunPeople,
};
export type WindowMoves = typeof windowMoves;
