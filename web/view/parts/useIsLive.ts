import { useRef } from 'preact/hooks';
import { useSignedIn } from './world.ts';

/** Whether there is a connection. */
export function useIsLive(): boolean {
  return useSignedIn(({ connection }) => connection.tag === 'live');
}

/**
 * How often a connection was established since the view appeared. What a view asks for when it appears, it asks for again when
 * this changes: the connection may come later than the view.
 */
export function useConnections(): number {
  const isLive = useIsLive();
  const seen = useRef({ wasLive: isLive, count: 0 });
  if (isLive && !seen.current.wasLive) seen.current.count++;
  seen.current.wasLive = isLive;
  return seen.current.count;
}
