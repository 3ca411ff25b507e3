import { dayKey } from '../i18n/times.ts';
import type { ConversationState, Message } from '../state/model.ts';

/** One row of the log on the screen. `first`: the first message of a group by one author, with the author's name. */
export type LogRow =
  | { tag: 'day'; key: string; at: number }
  /** The rows below it were unread when the room was opened. */
  | { tag: 'new'; key: string; at: number }
  | { tag: 'gap'; key: string; gap: ConversationState['gaps'][number] }
  | { tag: 'message'; key: string; message: Message; first: boolean };

/** A group ends at another author, another day, or after this pause. */
const GROUP_MS = 10 * 60_000;

/** Messages, day separators, the unread separator and gaps, from top to bottom. Keys are unique. */
export function logRows(
  messages: readonly Message[],
  newSince?: string,
  gaps: ConversationState['gaps'] = [],
): LogRow[] {
  const rows: LogRow[] = [];
  let before: Message | undefined;
  const remaining = [...gaps];
  const addGapBefore = (below: number): boolean => {
    const gap = remaining[0];
    if (!gap || gap.to >= below) return false;
    remaining.shift();
    rows.push({ tag: 'gap', key: `gap ${gap.to}`, gap });
    return true;
  };
  for (const message of messages) {
    const isAfterGap = addGapBefore(message.serverOffset ?? Number.POSITIVE_INFINITY);
    const day = dayKey(message.at);
    const newDay = before === undefined || dayKey(before.at) !== day;
    // With a wrong device clock the same day can occur twice: the message's key keeps the key unique.
    if (newDay) rows.push({ tag: 'day', key: `${day} ${message.key}`, at: message.at });
    const isNew = message.key === newSince;
    if (isNew) rows.push({ tag: 'new', key: 'new', at: message.at });
    const first = newDay || isNew || isAfterGap || startsGroup(before!, message);
    rows.push({ tag: 'message', key: message.key, message, first });
    before = message;
  }
  addGapBefore(Number.POSITIVE_INFINITY);
  return rows;
}

function startsGroup(before: Message, message: Message): boolean {
  return before.author.id !== message.author.id || Math.abs(message.at - before.at) > GROUP_MS;
}
