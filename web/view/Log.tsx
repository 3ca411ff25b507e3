import type { RefObject } from 'preact';
import { t, times } from '../i18n/index.ts';
import type { ConversationState } from '../state/model.ts';
import { useBubbles } from './Bubble.tsx';
import { CappedCount } from './CappedCount.tsx';
import { logRows } from './logRows.ts';
import { Icon } from './parts/Icon.tsx';
import { useWorld } from './parts/world.ts';
import { useReadingPlace } from './useReadingPlace.ts';

export interface LogProps {
  id: string;
  name: string;
  state: ConversationState;
  /** Receives the scrolling element. */
  scroller: RefObject<HTMLDivElement | null>;
  /** Receives the function that scrolls to the newest message. */
  toNewest: RefObject<() => void>;
  onDetails(key: string): void;
}

/** Renders the current window of the log. The reader's scroll position is kept when messages are added or removed. */
export function Log({ id, name, state, scroller, toNewest, onDetails }: LogProps) {
  const { client } = useWorld();
  const reading = useReadingPlace(scroller, state, {
    older: () => client.loadOlder(id),
    newer: () => client.loadNewer(id),
    between: (gap, edge) => client.loadBetween(id, gap, edge),
    newest: () => client.toNewest(id),
  });
  toNewest.current = reading.toNewest;
  const bubble = useBubbles(onDetails);

  const now = Date.now();
  const { unseen } = reading;
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
          <Top state={state} />
          {logRows(state.messages, state.newSince, state.gaps).map((row) =>
            row.tag === 'new' ? (
              <p key={row.key} class="day new">
                {t.log.newSince(times.minute(row.at))}
              </p>
            ) : row.tag === 'day' ? (
              <p key={row.key} class="day">
                {times.day(row.at, now)}
              </p>
            ) : row.tag === 'gap' ? (
              <p key={row.key} class="note" data-gap={row.gap.from}>
                {state.between === 'stuck' ? t.log.betweenStuck : t.log.between}
              </p>
            ) : (
              bubble(row.message, row.first)
            ),
          )}
        </div>
      </div>
      {(reading.distance === 'far' || unseen > 0) && (
        <button type="button" class="pill" onClick={reading.toNewest}>
          {unseen > 0 ? (
            <CappedCount count={unseen} seen={newMessages} heard={newMessages} />
          ) : (
            <span class="heard">{t.log.newest}</span>
          )}
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

function Top({ state }: { state: ConversationState }) {
  if (state.loading) return null;
  if (state.atStart) return state.messages.length === 0 ? <p class="note">{t.log.empty}</p> : null;
  // The key changes when older messages arrive: the same element, moved upwards, would count as a layout shift.
  return (
    <p key={state.messages[0]?.key} class="note">
      {state.older === 'stuck' ? t.log.olderStuck : t.log.older}
    </p>
  );
}
