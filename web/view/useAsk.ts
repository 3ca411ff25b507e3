import { useRef, useState } from 'preact/hooks';
import type { Outcome, Reason } from '../state/model.ts';
import { outcomeOf } from './outcome.ts';

/** Something asked of the client: whether it is under way, and why it did not work. */
export interface Ask {
  busy: boolean;
  reason: Reason | undefined;
  /** Asks, unless an answer is still awaited. `done` is called when it worked. */
  run<T extends Outcome>(request: () => Promise<T>, done?: (answer: Extract<T, { ok: true }>) => void): void;
  /** Says a reason without asking, or takes it away. */
  say(reason: Reason | undefined): void;
}

export function useAsk(): Ask {
  const [state, setState] = useState<{ busy: boolean; reason: Reason | undefined }>(IDLE);
  const busy = useRef(false); // a second tap may come before the first one is rendered

  return {
    ...state,
    say: (reason) => setState({ busy: busy.current, reason }),
    run(request, done) {
      if (busy.current) return;
      busy.current = true;
      setState({ busy: true, reason: undefined });
      outcomeOf(request).then((outcome) => {
        busy.current = false;
        setState({ busy: false, reason: outcome.ok ? undefined : outcome.reason });
        if (outcome.ok) done?.(outcome as Extract<typeof outcome, { ok: true }>);
      });
    },
  };
}

const IDLE = { busy: false, reason: undefined };
