import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { sentence, t } from '../i18n/index.ts';
import { type ComposerModel, canSend } from './composerModel.ts';
import { Icon } from './parts/Icon.tsx';
import { hasKeyboard, isBare, isComposing } from './parts/keyboard.ts';
import { useReadable } from './parts/world.ts';

export interface ComposerProps {
  model: ComposerModel;
  onSent(): void;
  /** While a message is edited or answered: the heading, and how to cancel. */
  about?: ComponentChildren;
  onCancel?: (() => void) | undefined;
  /** Changes when another message is answered: the field then gets the focus. */
  answers?: string | undefined;
  /** What completes names in the field. */
  completion?: ((field: RefObject<HTMLTextAreaElement | null>) => ComponentChildren) | undefined;
  /** Arrow Up in the empty field. */
  onUp?: () => void;
}

/** The text field and the button Send. */
export function Composer({ model, onSent, about, onCancel, answers, completion, onUp }: ComposerProps) {
  const { text, busy, reason } = useReadable(model);
  const field = useRef<HTMLTextAreaElement>(null);
  const slow = useIsSlow(busy);

  useLayoutEffect(() => growWithText(field.current!), [text]);
  useLayoutEffect(() => {
    if (onCancel || hasKeyboard()) field.current!.focus({ preventScroll: true });
  }, [answers]);

  const submit = async () => {
    if (await model.submit()) onSent();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionOf(event, { isEmpty: text === '', hasKeyboard: hasKeyboard() });
    if (action === 'cancel') onCancel?.();
    if (action === 'edit') onUp?.();
    if (action === 'send' && !event.repeat) submit();
    // also of a repeated key; of Arrow Up, since the caret would move in the message that is edited next
    if (action === 'send' || (action === 'edit' && onUp)) event.preventDefault();
  };

  return (
    <footer class="composer">
      {onCancel && (
        <p class="editing">
          <span>{about}</span>
          <button type="button" class="icon" aria-label={t.cancel} onClick={onCancel}>
            <Icon name="close" />
          </button>
        </p>
      )}
      <p id="why" class="why" role="alert">
        {reason && (text === '' ? '' : `${t.composer.kept} `) + sentence(reason, 'message')}
      </p>
      <form>
        {completion?.(field)}
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={text}
          placeholder={t.composer.label}
          aria-label={t.composer.label}
          aria-describedby="why"
          enterkeyhint={hasKeyboard() ? 'send' : 'enter'}
          onInput={(event) => model.type(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {/* no `submit` event: before it the browser looks at the fields of the form, a tenth of what a tap on Send takes */}
        <button
          type="button"
          class="send"
          aria-label={t.composer.send}
          aria-busy={slow}
          disabled={!canSend(text)}
          onPointerDown={(event) => event.preventDefault()} // keeps the focus in the field, and so the on-screen keyboard open
          onClick={submit}
        >
          <Icon name="up" />
        </button>
      </form>
    </footer>
  );
}

type Key = Pick<
  KeyboardEvent,
  'key' | 'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey' | 'isComposing' | 'keyCode'
>;

/**
 * What a key in the field does. Enter sends where a physical keyboard is likely; on touch it is a new line, and Enter with
 * Ctrl or ⌘ sends, as from the keyboard of a tablet. Undefined: what the browser does.
 */
export function actionOf(
  event: Key,
  { isEmpty, hasKeyboard }: { isEmpty: boolean; hasKeyboard: boolean },
): 'send' | 'edit' | 'cancel' | undefined {
  if (isComposing(event)) return undefined;
  if (event.key === 'Escape') return 'cancel';
  if (event.key === 'ArrowUp' && isEmpty && isBare(event)) return 'edit';
  const sends = event.key === 'Enter' && (hasKeyboard || event.ctrlKey || event.metaKey);
  return sends && !event.shiftKey && !event.altKey ? 'send' : undefined;
}

/** True after NOTICED_MS of `busy`: to draw Send as busy after each tap would cost a frame, for which the message that is being stored waits. */
function useIsSlow(busy: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useLayoutEffect(() => {
    if (!busy) return setSlow(false);
    const timer = setTimeout(setSlow, NOTICED_MS, true);
    return () => clearTimeout(timer);
  }, [busy]);
  return slow;
}

const NOTICED_MS = 500;

/** Makes the field as high as its text, up to the `max-height` of the style sheet. */
function growWithText(field: HTMLTextAreaElement): void {
  field.style.height = 'auto';
  if (field.value === '') return; // one line: measuring it would force a layout
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}
