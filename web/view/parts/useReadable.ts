import { useLayoutEffect, useState } from 'preact/hooks';
import type { Readable } from '../../records/cell.ts';

/** Returns the current value, and renders the component again after each change. */
export function useReadable<T>(readable: Readable<T>): T {
  const [, setTurn] = useState(0);
  const shown = readable.get();
  useLayoutEffect(() => {
    const renderAgain = () => setTurn((turn) => turn + 1);
    const stop = readable.subscribe(renderAgain);
    if (!Object.is(readable.get(), shown)) renderAgain(); // it has changed between rendering and subscribing
    return stop;
  }, [readable]);
  return shown;
}
