import { useRef, useState } from 'preact/hooks';
import type { Reason } from '../../records/errorReason.ts';
import type { Outcome } from '../../state/model.ts';

/** One asynchronous action of a view: whether it is in flight, and why it failed last. */
export interface AsyncAction {
  busy: boolean;
  reason: Reason | undefined;
  /** Starts `request` unless one is in flight; then nothing happens. `done` is called when it succeeded. */
  run<T extends Outcome>(request: () => Promise<T>, done?: (answer: Extract<T, { ok: true }>) => void): void;
  /** Shows a reason without a request; undefined clears it. */
  say(reason: Reason | undefined): void;
}

export function useAsyncAction(): AsyncAction {
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

/** Turns an exception into a failed outcome with the code `internal`, so that no button stays busy. */
export async function outcomeOf<T extends Outcome>(request: () => Promise<T>): Promise<T | Failed> {
  try {
    return await request();
  } catch (error) {
    console.error(error);
    return { ok: false, reason: { code: 'internal' } };
  }
}

type Failed = { ok: false; reason: Reason };
