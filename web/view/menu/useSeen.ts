import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { SEEN_AFTER_MS } from '../../records/pageLimits.ts';
import type { ConversationState } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { lastInView } from './keys.ts';

/** Tells how far the room was read: what has been in sight for a moment, on a page that was in sight itself. */
export function useSeen(room: string, log: RefObject<HTMLElement | null>, state: ConversationState): void {
  const { client } = useWorld();
  const latest = useRef(state);
  latest.current = state;
  const later = useRef(() => {});

  useEffect(() => {
    const element = log.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let told = 0;
    const tell = () => {
      const upTo = document.visibilityState === 'visible' ? seenUpTo(element, latest.current) : 0;
      if (upTo <= told) return;
      told = upTo;
      client.seen(room, upTo);
    };
    later.current = () => {
      clearTimeout(timer);
      timer = setTimeout(tell, SEEN_AFTER_MS);
    };
    const ends = new AbortController();
    element.addEventListener('scroll', later.current, { passive: true, signal: ends.signal });
    document.addEventListener('visibilitychange', later.current, { signal: ends.signal });
    return () => {
      ends.abort();
      clearTimeout(timer);
    };
  }, [client, room]);

  useEffect(() => later.current(), [state]);
}

/** The newest entry that is in view or above it. */
function seenUpTo(log: HTMLElement, { messages }: ConversationState): number {
  const rows = [...log.querySelectorAll<HTMLElement>('[data-key]')];
  const shown = messages.slice(
    0,
    messages.findIndex(({ key }) => key === rows[lastInView(log, rows)]?.dataset.key) + 1,
  );
  return Math.max(0, ...shown.map(({ serverOffset }) => serverOffset ?? 0));
}
