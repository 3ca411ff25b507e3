import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { SEEN_AFTER_MS } from '../../records/pageLimits.ts';
import type { ConversationState } from '../../state/model.ts';
import { useWorld } from '../parts/world.ts';
import { lastInView } from './useLogInput.ts';

/** Reports the read marker of the room: the newest entry that was in view for SEEN_AFTER_MS on a visible page. */
export function useMarkAsRead(
  room: string,
  log: RefObject<HTMLElement | null>,
  state: ConversationState,
): void {
  const { client } = useWorld();
  const latest = useRef(state);
  latest.current = state;
  const reportLater = useRef(() => {});

  useEffect(() => {
    const element = log.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let reported = 0;
    const report = () => {
      const upTo = document.visibilityState === 'visible' ? seenUpTo(element, latest.current) : 0;
      if (upTo <= reported) return;
      reported = upTo;
      client.seen(room, upTo);
    };
    reportLater.current = () => {
      clearTimeout(timer);
      timer = setTimeout(report, SEEN_AFTER_MS);
    };
    const ends = new AbortController();
    element.addEventListener('scroll', reportLater.current, { passive: true, signal: ends.signal });
    document.addEventListener('visibilitychange', reportLater.current, { signal: ends.signal });
    return () => {
      ends.abort();
      clearTimeout(timer);
    };
  }, [client, room]);

  useEffect(() => reportLater.current(), [state]);
}

/** The serverOffset of the newest entry in view or above the view; 0 if there is none. */
function seenUpTo(log: HTMLElement, { messages }: ConversationState): number {
  const rows = [...log.querySelectorAll<HTMLElement>('[data-key]')];
  const shown = messages.slice(
    0,
    messages.findIndex(({ key }) => key === rows[lastInView(log, rows)]?.dataset.key) + 1,
  );
  return Math.max(0, ...shown.map(({ serverOffset }) => serverOffset ?? 0));
}
