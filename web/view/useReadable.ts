import { useLayoutEffect, useState } from 'preact/hooks';
import type { Readable } from '../records/cell.ts';

/** The value now; the component renders again after each change of it. */
export function useReadable<T>(readable: Readable<T>): T {
  const [, setTurn] = useState(0);
  const shown = readable.get();
  useLayoutEffect(() => {
    const renderAgain = () => setTurn((turn) => turn + 1);
    const stop = readable.subscribe(renderAgain);
    if (!Object.is(readable.get(), shown)) renderAgain(); // changed between rendering and subscribing
    return stop;
  }, [readable]);
  return shown;
}
