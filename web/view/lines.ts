import { dayKey } from '../i18n/times.ts';
import type { ConversationState, Message } from '../state/model.ts';

/** What stands in the log, from top to bottom. `first`: the first of a run of one author, who is named there. */
export type Line =
  | { tag: 'day'; key: string; at: number }
  /** What follows was not read when the conversation was opened. */
  | { tag: 'new'; key: string; at: number }
  | { tag: 'gap'; key: string; gap: ConversationState['gaps'][number] }
  | { tag: 'message'; key: string; message: Message; first: boolean };

/** A run ends with another author, another day, or a pause. */
const RUN_MS = 10 * 60_000;

export function linesOf(
  messages: readonly Message[],
  newSince?: string,
  gaps: ConversationState['gaps'] = [],
): Line[] {
  const lines: Line[] = [];
  let before: Message | undefined;
  const left = [...gaps];
  const passGap = (below: number): boolean => {
    const gap = left[0];
    if (!gap || gap.to >= below) return false;
    left.shift();
    lines.push({ tag: 'gap', key: `gap ${gap.to}`, gap });
    return true;
  };
  for (const message of messages) {
    const isPastGap = passGap(message.serverOffset ?? Number.POSITIVE_INFINITY);
    const day = dayKey(message.at);
    const newDay = before === undefined || dayKey(before.at) !== day;
    // A clock that was wrong while a message waited can go back to an earlier day: the key stays one of its own.
    if (newDay) lines.push({ tag: 'day', key: `${day} ${message.key}`, at: message.at });
    const isNew = message.key === newSince;
    if (isNew) lines.push({ tag: 'new', key: 'new', at: message.at });
    const first = newDay || isNew || isPastGap || startsRun(before!, message);
    lines.push({ tag: 'message', key: message.key, message, first });
    before = message;
  }
  passGap(Number.POSITIVE_INFINITY);
  return lines;
}

function startsRun(before: Message, message: Message): boolean {
  return before.author.id !== message.author.id || Math.abs(message.at - before.at) > RUN_MS;
}
