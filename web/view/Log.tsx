import type { RefObject } from 'preact';
import { t, times } from '../i18n/index.ts';
import type { ConversationState } from '../state/model.ts';
import { useBubbles } from './Bubble.tsx';
import { Counted } from './Counted.tsx';
import { useWorld } from './context.ts';
import { Icon } from './Icon.tsx';
import { linesOf } from './lines.ts';
import { useReadingPlace } from './useReadingPlace.ts';

export interface LogProps {
  id: string;
  name: string;
  state: ConversationState;
  /** The element that scrolls, for who stands around it. */
  box: RefObject<HTMLDivElement | null>;
  /** Filled with the way to the newest message, for who writes one. */
  toNewest: RefObject<() => void>;
  onLook(key: string): void;
}

/** The window of the log that is held in the document. It stays where its reader is. */
export function Log({ id, name, state, box, toNewest, onLook }: LogProps) {
  const { client } = useWorld();
  const reading = useReadingPlace(box, state, {
    older: () => client.loadOlder(id),
    newer: () => client.loadNewer(id),
    between: (gap, edge) => client.loadBetween(id, gap, edge),
    newest: () => client.toNewest(id),
  });
  toNewest.current = reading.toNewest;
  const bubble = useBubbles(onLook);

  const now = Date.now();
  const { unseen } = reading;
  const newMessages = (number: string) => t.log.unseen(unseen, number);
  return (
    <div class="talk">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must get to it */}
      <div ref={box} class="log" tabIndex={0}>
        <div
          class="rows"
          role="log"
          aria-label={name}
          aria-live="off" // older ones that load above are not read out: Announcer does what is new
          aria-busy={state.loading || state.older === 'loading'}
        >
          <Top state={state} />
          {linesOf(state.messages, state.newSince, state.gaps).map((line) =>
            line.tag === 'new' ? (
              <p key={line.key} class="day new">
                {t.log.newSince(times.minute(line.at))}
              </p>
            ) : line.tag === 'day' ? (
              <p key={line.key} class="day">
                {times.day(line.at, now)}
              </p>
            ) : line.tag === 'gap' ? (
              <p key={line.key} class="note" data-gap={line.gap.from}>
                {state.between === 'stuck' ? t.log.betweenStuck : t.log.between}
              </p>
            ) : (
              bubble(line.message, line.first)
            ),
          )}
        </div>
      </div>
      {(reading.distance === 'far' || unseen > 0) && (
        <button type="button" class="pill" onClick={reading.toNewest}>
          {unseen > 0 ? (
            <Counted count={unseen} seen={newMessages} heard={newMessages} />
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
  // another one once older ones are there: one that moved from under a reader's eyes to above them would be a shift
  return (
    <p key={state.messages[0]?.key} class="note">
      {state.older === 'stuck' ? t.log.olderStuck : t.log.older}
    </p>
  );
}
