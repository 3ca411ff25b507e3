import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';

interface ConfirmedActionProps {
  label: string;
  /** What will happen. */
  means: string;
  confirm: string;
  busy: boolean;
  onConfirm(): void;
}

/** A button for what cannot be taken back at once: the first tap says what will happen, the second one does it. */
export function ConfirmedAction({ label, means, confirm, busy, onConfirm }: ConfirmedActionProps) {
  const id = useId();
  const [isAsked, setIsAsked] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const wasAsked = useRef(false);
  useLayoutEffect(() => {
    if (isAsked || wasAsked.current) first.current?.focus(); // the button that had the focus is gone
    wasAsked.current = isAsked;
  }, [isAsked]);
  if (!isAsked)
    return (
      <button ref={first} type="button" class="button danger" onClick={() => setIsAsked(true)}>
        {label}
      </button>
    );
  return (
    <div class="confirm">
      <p id={id}>{means}</p>
      <button
        ref={first}
        type="button"
        class="button quiet"
        aria-describedby={id}
        onClick={() => setIsAsked(false)}
      >
        {t.cancel}
      </button>
      <button type="button" class="button danger" aria-busy={busy} onClick={onConfirm}>
        {confirm}
      </button>
    </div>
  );
}
