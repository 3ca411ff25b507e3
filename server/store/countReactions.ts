/** Counts reactions to messages, for all adapters: a database gives the newest entry of each person and emoji. Pure. */
import { REACTION_EMOJI_SHOWN, REACTION_PEOPLE_SHOWN } from '../../shared/limits.ts';
import type { ReactionCount, Reactions } from '../../shared/protocol/index.ts';
import type { Reactor } from './port.ts';

/** The newest entry of a person with an emoji about a message. What is stored may be anything: an `emoji` that is no string is skipped. */
export interface LastReaction {
  target: number;
  author: string;
  emoji: unknown;
  isOn: boolean;
  serverOffset: number;
}

/** `lasts` in any order. The messages ascend; the emoji of a message are in the order of the first reaction that holds. */
export function countReactions(lasts: readonly LastReaction[], by: string | undefined): Reactions[] {
  const byTarget = Map.groupBy(inOrder(lasts), ({ target }) => target);
  return [...byTarget]
    .sort(([a], [b]) => a - b)
    .map(([target, all]) => ({
      target,
      asOf: all.at(-1)!.serverOffset,
      counts: mostFrequent(countsOf(all.filter(({ isOn }) => isOn))),
      ...(by !== undefined && {
        mine: all.flatMap(({ author, emoji, isOn }) => (isOn && author === by ? (emoji as string) : [])),
      }),
    }));
}

/** Who reacts now, in the order of the entries. */
export function reactorsIn(lasts: readonly LastReaction[], most: number): Reactor[] {
  return inOrder(lasts)
    .filter(({ isOn }) => isOn)
    .slice(0, most)
    .map(({ author, emoji }) => ({ user: author, emoji: emoji as string }));
}

function inOrder(lasts: readonly LastReaction[]): LastReaction[] {
  return lasts
    .filter(({ emoji }) => typeof emoji === 'string' && emoji !== '')
    .sort((a, b) => a.serverOffset - b.serverOffset);
}

function countsOf(held: readonly LastReaction[]): ReactionCount[] {
  return [...Map.groupBy(held, ({ emoji }) => emoji as string)].map(([emoji, its]) => ({
    emoji,
    count: its.length,
    by: its.slice(0, REACTION_PEOPLE_SHOWN).map(({ author }) => author),
  }));
}

/** In the same order, without the rarest. */
function mostFrequent(counts: ReactionCount[]): ReactionCount[] {
  if (counts.length <= REACTION_EMOJI_SHOWN) return counts;
  const kept = new Set([...counts].sort((a, b) => b.count - a.count).slice(0, REACTION_EMOJI_SHOWN));
  return counts.filter((count) => kept.has(count));
}
