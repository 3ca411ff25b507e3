import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { sentence } from '../i18n/reason.ts';
import { type Box, canSend } from './box.ts';
import { Icon } from './Icon.tsx';
import { hasKeyboard } from './keyboard.ts';
import { useReadable } from './useReadable.ts';

export interface ComposerProps {
  box: Box;
  onSent(): void;
  /** Given when what is written changes a message: what is done then, and how to leave it. */
  editing?: string;
  onCancel?: () => void;
  /** The arrow up in an empty field. */
  onUp?: () => void;
}

export function Composer({ box, onSent, editing, onCancel, onUp }: ComposerProps) {
  const { text, busy, reason } = useReadable(box);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const slow = useSlow(busy);

  useLayoutEffect(() => growWithText(field.current!), [text]);
  useLayoutEffect(() => {
    if (onCancel || hasKeyboard()) field.current!.focus({ preventScroll: true });
  }, []);

  const submit = async () => {
    if (await box.submit()) onSent();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && !event.isComposing) onCancel?.();
    if (event.key === 'ArrowUp' && text === '' && onUp) {
      event.preventDefault(); // or the caret goes up in the text that is edited then
      return onUp();
    }
    if (!sends(event, hasKeyboard())) return;
    event.preventDefault();
    if (!event.repeat) submit();
  };

  return (
    <footer class="composer">
      {onCancel && (
        <p class="editing">
          {editing}
          <button type="button" class="icon" aria-label={t.cancel} onClick={onCancel}>
            <Icon name="close" />
          </button>
        </p>
      )}
      <p id={id} class="why" role="alert">
        {reason && (text === '' ? '' : `${t.composer.kept} `) + sentence(reason, 'message')}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <textarea
          ref={field}
          rows={1}
          value={text}
          placeholder={t.composer.label}
          aria-label={t.composer.label}
          aria-describedby={id}
          enterkeyhint={hasKeyboard() ? 'send' : 'enter'}
          onInput={(event) => box.type(event.currentTarget.value)}
          onKeyDown={pressed}
        />
        <button
          type="submit"
          class="send"
          aria-label={t.composer.send}
          aria-busy={slow}
          disabled={!canSend(text)}
          onPointerDown={(event) => event.preventDefault()} // the field keeps the focus, and a phone its keyboard
        >
          <Icon name="up" />
        </button>
      </form>
    </footer>
  );
}

/**
 * Enter sends where there is a real keyboard; on touch it is a new line. While an input method composes it chooses a
 * word: Safari ends the composition before it tells of the key, and says so only by 229.
 */
export function sends(
  event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'altKey' | 'isComposing' | 'keyCode'>,
  keyboard: boolean,
): boolean {
  const composing = event.isComposing || event.keyCode === 229;
  return keyboard && event.key === 'Enter' && !event.shiftKey && !event.altKey && !composing;
}

/** Only what lasts is shown: a sign that comes and goes would cost each tap a frame. */
function useSlow(busy: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useLayoutEffect(() => {
    if (!busy) return setSlow(false);
    const timer = setTimeout(setSlow, NOTICED_MS, true);
    return () => clearTimeout(timer);
  }, [busy]);
  return slow;
}

const NOTICED_MS = 100;

/** As high as its text; the style sheet says where that ends. */
function growWithText(field: HTMLTextAreaElement): void {
  field.style.height = 'auto';
  if (field.value === '') return; // that is one line, and measuring it would lay out the page
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}
