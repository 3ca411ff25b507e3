/** True where a physical keyboard is likely: with a mouse or a touchpad. */
export function hasKeyboard(): boolean {
  return matchMedia('(pointer: fine)').matches;
}

/**
 * True while an input method (IME) composes: then Enter picks a word, and Escape and the arrow keys belong to the list of
 * words. Safari fires `compositionend` before the `keydown` that ended it, and marks that by keyCode 229.
 */
export function isComposing(event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** True without Ctrl, Shift, Alt and Meta, with which a key belongs to the browser or the system. */
export function isBare(event: Pick<KeyboardEvent, 'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey'>): boolean {
  return !event.ctrlKey && !event.shiftKey && !event.altKey && !event.metaKey;
}

/**
 * Keeps the composer above the on-screen keyboard, by the CSS variable `--keyboard`. Android shrinks the page
 * (`interactive-widget`), so nothing is covered. iOS covers part of the page and reports it only in `visualViewport`.
 */
export function followKeyboard(window: Window): void {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const follow = () => {
    const covered = viewport.scale > 1.01 ? 0 : window.innerHeight - viewport.height; // a zoomed page is smaller, too
    window.document.documentElement.style.setProperty('--keyboard', `${Math.max(0, Math.round(covered))}px`);
    if (covered > 1 && window.scrollY > 0) window.scrollTo(0, 0);
  };
  viewport.addEventListener('resize', follow);
  viewport.addEventListener('scroll', follow);
}
