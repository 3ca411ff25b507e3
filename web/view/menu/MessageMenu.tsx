import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Message } from '../../state/model.ts';
import { Icon } from '../parts/Icon.tsx';
import { hasKeyboard } from '../parts/keyboard.ts';
import { CloseButton, useModal } from '../sheet/Sheet.tsx';
import type { Point } from './useLogInput.ts';

export interface MessageMenuProps {
  message: Message;
  at: Point;
  onClose(): void;
  /** Undefined where one cannot write. */
  onReply: (() => void) | undefined;
  /** With this emoji, or with any. Undefined where one cannot react. */
  onReact: ((emoji: string | undefined) => void) | undefined;
  onEdit(): void;
  onRemove(): void;
  /** One's own, or any as a moderator. */
  mayRemove: boolean;
  onCopy(): void;
  /** Undefined where the message is not in the log yet. */
  onCopyLink: (() => void) | undefined;
  onDetails(): void;
  /** Pins or unpins it. Undefined where one may not. */
  onPin: (() => void) | undefined;
  isPinned: boolean;
  /** Undefined where there is nothing to report. */
  onReport: (() => void) | undefined;
}

/** The actions of one message: at the bottom on touch, else at the pointer. On closing, the focus returns. */
export function MessageMenu({ message, at, onClose, ...on }: MessageMenuProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const pressedInside = useRef(false); // the finger that opened the menu may still be down: lifting it is no tap beside the menu

  useModal(dialog, onClose);
  useLayoutEffect(() => {
    const element = dialog.current!;
    if (hasKeyboard()) position(element, at);
    itemsOf(element)[0]!.focus({ preventScroll: true });
  }, []);

  const item = (text: string, choose: () => void, kind = '') => (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      class={kind}
      onClick={choose}
      // the focus follows the mouse, so that one item is highlighted and not two
      onPointerMove={(event) =>
        event.pointerType === 'mouse' && event.currentTarget.focus({ preventScroll: true })
      }
    >
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
        pressedInside.current = true;
      }}
      onClick={(event) => event.target === dialog.current && pressedInside.current && onClose()}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key === 'Tab') onClose();
        if (event.key === 'Tab' || focusNext(dialog.current!, event.key)) event.preventDefault();
      }}
    >
      <div class={hasKeyboard() ? 'visually-hidden' : 'top'}>
        <p id={id} dir="auto">
          {message.mine ? sheetTexts().message.ofYou : sheetTexts().message.of(message.author.name)}
        </p>
        {!hasKeyboard() && <CloseButton onClose={onClose} tabIndex={-1} />}
      </div>
      <div role="menu" aria-labelledby={id}>
        {on.onReact && <QuickEmoji message={message} onReact={on.onReact} />}
        {on.onReply && message.content.tag === 'text' && item(sheetTexts().message.reply, on.onReply)}
        {message.can.edit && item(sheetTexts().message.edit, on.onEdit)}
        {message.content.tag === 'text' && item(sheetTexts().message.copy, on.onCopy)}
        {on.onCopyLink && item(sheetTexts().message.copyLink, on.onCopyLink)}
        {item(sheetTexts().message.details, on.onDetails)}
        {on.onPin && item(on.isPinned ? sheetTexts().pinned.unpin : sheetTexts().pinned.pin, on.onPin)}
        {on.onReport && item(sheetTexts().report.action, on.onReport)}
        {on.mayRemove && item(sheetTexts().message.delete, on.onRemove, 'danger')}
      </div>
    </dialog>
  );
}

/** The most usual emoji, and the way to any other. */
function QuickEmoji({
  message,
  onReact,
}: Pick<MessageMenuProps, 'message'> & { onReact(emoji?: string): void }) {
  const texts = sheetTexts().message;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is no group of a menu
    <div class="emoji" role="group" aria-label={texts.react}>
      {QUICK_EMOJI.map((emoji) => (
        <button
          key={emoji}
          type="button"
          role="menuitemcheckbox"
          tabIndex={-1}
          aria-checked={message.reactions?.some((one) => one.mine && one.emoji === emoji) === true}
          aria-label={texts.reactWith(emoji)}
          onClick={() => onReact(emoji)}
        >
          {emoji}
        </button>
      ))}
      <button type="button" role="menuitem" tabIndex={-1} aria-label={texts.react} onClick={() => onReact()}>
        <Icon name="plus" />
      </button>
    </div>
  );
}

const QUICK_EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

/** Without the row of emoji. */
function itemsOf(dialog: HTMLElement): HTMLElement[] {
  return [...dialog.querySelectorAll<HTMLElement>('[role=menu] > [role=menuitem]')];
}

/**
 * Moves the focus between the items, around the ends: up and down between those below each other, left and right between the
 * emoji. Returns true if the key was one that does so.
 */
function focusNext(dialog: HTMLElement, key: string): boolean {
  const isAcross = key === 'ArrowLeft' || key === 'ArrowRight';
  const items = isAcross ? [...dialog.querySelectorAll<HTMLElement>('.emoji button')] : itemsOf(dialog);
  const from = items.indexOf(document.activeElement as HTMLElement);
  const before = Math.max(0, from) - 1;
  const steps: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowRight: from + 1,
    ArrowUp: before,
    ArrowLeft: before,
    Home: 0,
    End: -1,
  };
  const to = steps[key];
  if (to === undefined) return false;
  items.at(to % items.length)?.focus();
  return true;
}

/** Positions the menu at the point, within the viewport. */
function position(element: HTMLElement, { x, y }: Point): void {
  const { width, height } = element.getBoundingClientRect();
  const clamp = (at: number, size: number, whole: number) => Math.max(8, Math.min(at, whole - size - 8));
  element.style.left = `${clamp(x, width, innerWidth)}px`;
  element.style.top = `${clamp(y, height, innerHeight)}px`;
}
