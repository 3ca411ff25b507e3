import type { RefObject } from 'preact';
import { useRef } from 'preact/hooks';
import { dayKey, onDayOf } from '../i18n/formats.ts';
import { t, times } from '../i18n/index.ts';
import type { Readable } from '../records/cell.ts';
import type { ConversationState, Message } from '../state/model.ts';
import { Bubble } from './Bubble.tsx';
import { CappedCount, formatCount } from './CappedCount.tsx';
import { Icon } from './parts/Icon.tsx';
import { memo } from './parts/memo.ts';
import { useReadable, useSignedIn, useWorld } from './parts/world.ts';
import { useLazyViews } from './useLazyViews.ts';
import { useReadingPlace } from './useReadingPlace.ts';

export interface LogProps {
  id: string;
  name: string;
  conversation: Readable<ConversationState>;
  /** The newest entry that the reader has seen; the read marker reports it. */
  seen: RefObject<number>;
  /** Receives the scrolling element. */
  scroller: RefObject<HTMLDivElement | null>;
  /** Receives the function that scrolls to the newest message. */
  toNewest: RefObject<() => void>;
  onDetails(key: string): void;
}

/** Renders the current window of the log. The reader's scroll position is kept when messages are added or removed. */
export function Log({ id, name, conversation, seen, scroller, toNewest, onDetails }: LogProps) {
  const { client } = useWorld();
  const state = useReadable(conversation);
  const unread = useSignedIn(({ rooms }) => rooms.find((room) => room.id === id)?.unread ?? 0);
  const lazy = useLazyViews(id);
  const reading = useReadingPlace(scroller, state, seen, () => client.toNewest(id), lazy?.keepStill);
  toNewest.current = reading.toNewest;
  const named = useRef<ReadonlySet<string>>(new Set()); // the messages with the author's name, as of the last rendering
  const latest = useRef(onDetails);
  latest.current = onDetails;
  const details = useRef((key: string) => latest.current(key)).current;

  const now = Date.now();
  const unseen = reading.distance === 'here' ? 0 : unread;
  const rows = logRows(state.messages, { newSince: reading.newSince, named: named.current, ...state });
  named.current = new Set(rows.flatMap((row) => (row.tag === 'message' && row.first ? row.key : [])));
  const newMessages = (number: string) => t.log.unseen(unseen, number);
  return (
    <div class="talk">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it must be focusable for keyboards */}
      <div ref={scroller} class="log" tabIndex={0}>
        <div
          class="rows"
          role="log"
          aria-label={name}
          aria-live="off" // older messages load above and must not be read out; Announcer reads out new ones
          aria-busy={state.loading || state.older === 'loading'}
        >
          <div class="spacer" />
          <Top state={state} row={rows[0]?.key} />
          {rows.map((row) =>
            row.tag === 'new' ? (
              <p key={row.key} class="day new">
                {t.log.newSince(times.minute(row.at))}
              </p>
            ) : row.tag === 'day' ? (
              <p key={row.key} class="day">
                {times.day(row.at, now)}
              </p>
            ) : row.tag === 'people' ? (
              <p key={row.key} class="people">
                {lazy?.membershipText(row.run)}
              </p>
            ) : row.tag === 'gap' ? (
              <p key={row.key} class="note" data-gap={row.gap.from}>
                {state.between === 'stuck'
                  ? t.log.betweenStuck(row.gap.to - row.gap.from + 1) // some of them may be edits
                  : t.log.between}
              </p>
            ) : (
              <Line key={row.key} message={row.message} first={row.first} onDetails={details} />
            ),
          )}
        </div>
      </div>
      {(reading.distance === 'far' || unseen > 0) && (
        // Another element when its text has another width: the same one, whose left edge moves, would count as a layout shift.
        <button
          key={unseen > 0 ? newMessages(formatCount(unseen).seen).length : 0}
          type="button"
          class="pill"
          onClick={reading.toNewest}
        >
          {unseen > 0 ? (
            <CappedCount count={unseen} seen={newMessages} heard={newMessages} />
          ) : (
            <span class="visually-hidden">{t.log.newest}</span>
          )}
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

const Line = memo(Bubble);

/** `row`: the key of the row below it. */
function Top({ state, row }: { state: ConversationState; row: string | undefined }) {
  if (state.loading) return null;
  if (state.atStart) return state.messages.length === 0 ? <p class="note">{t.log.empty}</p> : null;
  // Another element when another row is below it: the same one, moved, would count as a layout shift.
  return (
    <p key={row} class="note">
      {state.older === 'stuck' ? t.log.olderStuck : t.log.older}
    </p>
  );
}

/** One row of the log on the screen. `first`: the first message of a group by one author, with the author's name. */
export type LogRow =
  | { tag: 'day'; key: string; at: number }
  /** The rows below it were unread when the room was opened. */
  | { tag: 'new'; key: string; at: number }
  | { tag: 'gap'; key: string; gap: ConversationState['gaps'][number] }
  | { tag: 'people'; key: string; run: ConversationState['memberships'][number] }
  | { tag: 'message'; key: string; message: Message; first: boolean };

/** A group ends at another author, another day, or after this pause. */
const GROUP_MS = 10 * 60_000;

interface Around extends Partial<Pick<ConversationState, 'gaps' | 'memberships' | 'above'>> {
  newSince?: string | undefined;
  named?: ReadonlySet<string>;
}

/**
 * Messages, joins and leaves, day separators, the unread separator and gaps, from top to bottom. Keys are unique. No message in view may change
 * its height: the first one is drawn as it will be below the one `above` it, once that is loaded, and where that is not known
 * yet, a message that had its author's name before (`named`) keeps it.
 */
export function logRows(
  messages: readonly Message[],
  { newSince, gaps = [], memberships = [], above, named }: Around = {},
): LogRow[] {
  const rows: LogRow[] = [];
  let before: { author?: string; at: number } | undefined = above;
  const others = [...gaps, ...memberships].sort((a, b) => b.from - a.from); // the next one is the last
  let isOnDay = before && onDayOf(before.at);
  const startsDay = (key: string, at: number): boolean => {
    if (isOnDay?.(at)) return false;
    isOnDay = onDayOf(at);
    // With a wrong device clock the same day can occur twice: the key of the row below keeps the key unique.
    rows.push({ tag: 'day', key: `${dayKey(at)} ${key}`, at });
    return true;
  };
  const addBefore = (below: number): boolean => {
    const start = rows.length;
    for (let next = others.at(-1); next && next.to < below; next = others.at(-1)) {
      others.pop();
      if ('tag' in next) {
        rows.push({ tag: 'gap', key: `gap ${next.to}`, gap: next });
        continue;
      }
      const key = `${next.from}-${next.to}`; // another element when it grows: the same one, wider, would count as a layout shift
      startsDay(key, next.at);
      rows.push({ tag: 'people', key, run: next });
      before = { at: next.at };
    }
    return rows.length > start;
  };
  for (const message of messages) {
    const isBelowOther = addBefore(message.serverOffset ?? Number.POSITIVE_INFINITY);
    const newDay = startsDay(message.key, message.at);
    const isNew = message.key === newSince;
    if (isNew) rows.push({ tag: 'new', key: 'new', at: message.at });
    const startsHere = newDay || isNew || isBelowOther || startsGroup(before!, message);
    const first = startsHere || named?.has(message.key) === true;
    rows.push({ tag: 'message', key: message.key, message, first });
    before = { author: message.author.id, at: message.at };
  }
  addBefore(Number.POSITIVE_INFINITY);
  return rows;
}

function startsGroup(
  before: Partial<NonNullable<ConversationState['above']>> & { at: number },
  message: Message,
): boolean {
  return before.author !== message.author.id || Math.abs(message.at - before.at) > GROUP_MS;
}
