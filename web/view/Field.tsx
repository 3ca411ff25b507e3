import type { RefObject, TargetedInputEvent } from 'preact';
import { useId } from 'preact/hooks';
import { type Place, sentence } from '../i18n/reason.ts';
import type { Reason } from '../state/model.ts';

export interface FieldProps {
  label: string;
  value: string;
  onInput(text: string): void;
  place: Place;
  reason?: Reason | undefined;
  hint?: string;
  type?: 'text' | 'password';
  autocomplete?: string;
  input?: RefObject<HTMLInputElement | null>;
}

/** A line to fill in, with its label above and what is wrong with it below. */
export function Field({
  label,
  value,
  onInput,
  place,
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
      {type === 'password' ? (
        <input type="password" {...shared} />
      ) : (
        <input type="text" autocapitalize="words" {...shared} />
      )}
      <p id={`${id}-why`} class="why" role="alert">
        {reason && sentence(reason, place)}
      </p>
    </div>
  );
}
