import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { inSheets } from '../../i18n/sheets.ts';
import type { Message } from '../../state/model.ts';
import { hasKeyboard } from '../keyboard.ts';
import type { Point } from './press.ts';

export interface MessageMenuProps {
  message: Message;
  at: Point;
  onClose(): void;
  onEdit(): void;
  onRemove(): void;
  onCopy(): void;
  onDetails(): void;
}

/** What can be done with one message: from below on touch, else where it was asked for. The focus returns after it. */
export function MessageMenu({ message, at, onClose, ...on }: MessageMenuProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const begun = useRef(false); // the finger that opened it still lies there: its end is no tap beside the menu

  useLayoutEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement;
    element.showModal();
    if (hasKeyboard()) place(element, at);
    itemsOf(element)[0]!.focus({ preventScroll: true });
    return () => {
      element.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);

  const item = (text: string, choose: () => void, kind = '') => (
    <button type="button" role="menuitem" tabIndex={-1} class={kind} onClick={choose}>
      {text}
    </button>
  );
  return (
    <dialog
      ref={dialog}
      class={hasKeyboard() ? 'menu' : 'menu sheet'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={() => {
        begun.current = true;
      }}
      onClick={(event) => event.target === dialog.current && begun.current && onClose()}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key === 'Tab') onClose();
        if (event.key === 'Tab' || focusNext(dialog.current!, event.key)) event.preventDefault();
      }}
    >
      <p id={id} class="heard">
        {message.mine ? inSheets().message.ofYou : inSheets().message.of(message.author.name)}
      </p>
      <div role="menu" aria-labelledby={id}>
        {message.can.edit && item(inSheets().message.edit, on.onEdit)}
        {message.content.tag === 'text' && item(inSheets().message.copy, on.onCopy)}
        {item(inSheets().message.details, on.onDetails)}
        {message.can.remove && item(inSheets().message.delete, on.onRemove, 'danger')}
      </div>
    </dialog>
  );
}

function itemsOf(dialog: HTMLElement): HTMLElement[] {
  return [...dialog.querySelectorAll<HTMLElement>('[role=menuitem]')];
}

/** True when the key was one of those that walk over the menu. It goes round. */
function focusNext(dialog: HTMLElement, key: string): boolean {
  const items = itemsOf(dialog);
  const from = items.indexOf(document.activeElement as HTMLElement);
  const steps: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    Home: 0,
    End: -1,
  };
  const to = steps[key];
  if (to === undefined) return false;
  items.at(to % items.length)?.focus();
  return true;
}

/** At the point, but wholly in sight. */
function place(element: HTMLElement, { x, y }: Point): void {
  const { width, height } = element.getBoundingClientRect();
  const within = (at: number, size: number, whole: number) => Math.max(8, Math.min(at, whole - size - 8));
  element.style.left = `${within(x, width, innerWidth)}px`;
  element.style.top = `${within(y, height, innerHeight)}px`;
}
