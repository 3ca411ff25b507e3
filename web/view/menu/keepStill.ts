/** Keeps the lines of a log where they are while others load, without measuring those: the browser lays them out later. */
import type { ConversationState, Message } from '../../state/model.ts';
import { rowsElementOf, rowsIn, setSpacer, spacerOf } from '../parts/logGeometry.ts';

/** What a rendering of the log depends on. Empty before the first one. */
export interface Drawn {
  state?: ConversationState;
  newSince?: string | undefined;
}

export type KeepStill = typeof keepStill;

/**
 * To be called before a rendering that keeps a line in view in its place. If it only adds lines at one end and takes some
 * away at the other, returns what is to be called after it: that sets the spacer, and has `measure` called before the next
 * frame is painted. Undefined for other renderings, which have to be measured at once.
 *
 * Lines below are added downwards, and the spacer grows by what is taken away above. Lines above are added upwards, so the
 * spacer shrinks by itself, and the height of all is less by what is taken away below. Both are measured here, where the
 * layout is known. `measure` finds what is not known: people who joined or left at an end, and a spacer that is used up.
 */
export function keepStill(
  scroller: HTMLElement,
  before: Drawn,
  state: ConversationState,
  newSince: string | undefined,
): ((measure: () => void) => void) | undefined {
  if (!before.state || !isPlain(before.state) || !isPlain(state) || before.newSince !== newSince)
    return undefined;
  const step = stepBetween(before.state.messages, state.messages);
  if (!step) return undefined;

  const lines = rowsIn(scroller);
  if (step.addedAbove > 0) {
    const last = lines[lines.length - 1]!;
    if (step.addedBelow > 0 || last !== rowsElementOf(scroller).lastElementChild) return undefined;
    const height = rowsElementOf(scroller).getBoundingClientRect().height;
    const left = height - bottomOf(last) + bottomOf(lines[step.kept - 1]!);
    return thenMeasure(() => setSpacer(scroller, 0, `${left}px`));
  }
  if (!before.state.above || !state.above) return undefined; // a day may begin above the first line
  const { removedAbove } = step;
  const freed = removedAbove > 0 ? bottomOf(lines[removedAbove - 1]!) - topOfRows(scroller) : 0;
  const spacer = spacerOf(scroller) + freed;
  return thenMeasure(() => setSpacer(scroller, spacer));
}

/** How the window of a log has moved. */
interface Step {
  removedAbove: number;
  /** If there are any, `removedAbove` is 0. */
  addedAbove: number;
  /** At least 1. */
  kept: number;
  addedBelow: number;
}

/** Undefined if no message has stayed, or one between those that stay was added, taken away or changed. Pure. */
export function stepBetween(before: readonly Message[], now: readonly Message[]): Step | undefined {
  const removedAbove = now[0] ? before.indexOf(now[0]) : -1;
  const addedAbove = before[0] ? now.indexOf(before[0]) : -1;
  if (removedAbove < 0 && addedAbove < 0) return undefined;
  const [from, to] = [Math.max(removedAbove, 0), Math.max(addedAbove, 0)];
  const kept = Math.min(before.length - from, now.length - to);
  for (let n = 0; n < kept; n++) if (before[from + n] !== now[to + n]) return undefined;
  return { removedAbove: from, addedAbove: to, kept, addedBelow: now.length - to - kept };
}

/** Above the messages is one line, which says that older ones load, and nothing is missing between them. */
function isPlain({ atStart, older, gaps }: ConversationState): boolean {
  return !atStart && older !== 'stuck' && gaps.length === 0;
}

/** Where the first row begins, below the line about older messages. */
function topOfRows(scroller: HTMLElement): number {
  const above = rowsElementOf(scroller).children[1]!;
  return bottomOf(above) + Number.parseFloat(getComputedStyle(above).marginBottom);
}

function bottomOf(element: Element): number {
  return element.getBoundingClientRect().bottom;
}

/**
 * `measure` runs in a task of its own where the browser has a scheduler, so that a long task becomes two. Where a frame comes
 * first, it runs with that. It is called twice, and may not have been called when that frame's events come.
 */
function thenMeasure(set: () => void): (measure: () => void) => void {
  return (measure) => {
    set();
    void globalThis.scheduler?.postTask(measure, { priority: 'user-blocking' });
    requestAnimationFrame(measure);
  };
}
