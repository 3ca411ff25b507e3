import type { RefObject, TargetedInputEvent } from 'preact';
import { useId } from 'preact/hooks';
import { type ReasonTable, sentence } from '../../i18n/index.ts';
import type { Reason } from '../../records/errorReason.ts';

export interface FieldProps {
  label: string;
  value: string;
  onInput(text: string): void;
  /** The table of sentences for `reason`. */
  reasons: ReasonTable;
  reason?: Reason | undefined;
  hint?: string;
  type?: 'text' | 'password' | 'date';
  autocomplete?: string;
  input?: RefObject<HTMLInputElement | null>;
}

/** A text input with its label above and the error below. */
export function Field({
  label,
  value,
  onInput,
  reasons,
  reason,
  hint,
  type = 'text',
  autocomplete,
  input,
}: FieldProps) {
  const id = useId();
  const shared = {
    id,
    ref: input ?? null,
    value,
    autocomplete: autocomplete ?? 'off',
    enterkeyhint: 'go' as const,
    'aria-invalid': reason !== undefined,
    'aria-describedby': hint ? `${id}-hint ${id}-why` : `${id}-why`,
    onInput: (event: TargetedInputEvent<HTMLInputElement>) => onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      {hint && <p id={`${id}-hint`}>{hint}</p>}
      <label for={id}>{label}</label>
      {type !== 'text' ? (
        <input type={type} {...shared} />
      ) : (
        <input type="text" autocapitalize="words" {...shared} />
      )}
      <p id={`${id}-why`} class="why" role="alert">
        {reason && sentence(reason, reasons)}
      </p>
    </div>
  );
}
