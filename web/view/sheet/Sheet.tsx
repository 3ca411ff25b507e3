import type { ComponentChildren, RefObject } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import { Icon } from '../parts/Icon.tsx';
import { isComposing } from '../parts/keyboard.ts';
import { hashOf } from '../parts/router.ts';
import { useWorld, type World } from '../parts/world.ts';

export interface SheetProps {
  title: string;
  onClose(): void;
  children: ComponentChildren;
}

/**
 * A modal dialog: at the bottom of a phone, in the middle of a wide screen. The button ×, Escape, Back and a tap beside it
 * close it.
 */
export function Sheet({ title, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useModal(dialog, onClose);

  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby={id}
      onCancel={(event) => {
        if (event.target !== dialog.current) return;
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose(); // a tap beside the sheet: its content covers the dialog itself
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && isComposing(event)) event.preventDefault(); // it ends the composition alone
      }}
    >
      <div class="inside">
        <div class="top">
          <h2 id={id} dir="auto" tabIndex={-1} autofocus>
            {title}
          </h2>
          <CloseButton onClose={onClose} />
        </div>
        {children}
      </div>
    </dialog>
  );
}

export function CloseButton({ onClose, ...rest }: { onClose(): void; tabIndex?: number }) {
  return (
    <button type="button" class="icon" aria-label={sheetTexts().close} onClick={onClose} {...rest}>
      <Icon name="close" />
    </button>
  );
}

/** Shows the dialog as a modal one: all else is inert. Back closes it. When it is gone, the focus returns. */
export function useModal(dialog: RefObject<HTMLDialogElement | null>, onClose: () => void): void {
  const { router } = useWorld();
  const latest = useRef(onClose);
  latest.current = onClose;
  useLayoutEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement;
    element.showModal();
    const stop = closeOnBack(router, () => latest.current());
    return () => {
      stop();
      element.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
}

/**
 * Calls `close` in place of a Back of the browser, which would change the screen below. Chromium on Android closes dialogs by
 * itself. `popstate` is before the `hashchange` that the router follows: then the address is the one of this screen again.
 * Nothing else navigates while a dialog is open, since the page is inert; a dialog that leads elsewhere uses `afterClosing`.
 */
function closeOnBack({ route }: World['router'], close: () => void): () => void {
  const onPopState = () => {
    history.pushState(null, '', hashOf(route.get()));
    close();
  };
  addEventListener('popstate', onPopState);
  return () => removeEventListener('popstate', onPopState);
}

/** Navigates once the dialog is gone, which is rendered after this task. */
export function afterClosing(navigate: () => void): void {
  setTimeout(navigate);
}

/** A hidden field that tells the browser's password manager whose password a form is about. */
export function HiddenUsername({ name }: { name: string }) {
  return (
    <input
      class="visually-hidden"
      type="text"
      autocomplete="username"
      value={name}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
    />
  );
}
