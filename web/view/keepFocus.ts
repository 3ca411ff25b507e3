/**
 * Restores the keyboard focus when the focused element disappears or is disabled: a message is discarded, a room is left, a
 * phone hides the list of rooms, Send has nothing to send. A browser would move the focus to the body, where Tab starts at the
 * top and a screen reader is silent. Here it moves to the first field of the same form, or to the nearest focusable ancestor
 * that is still shown, else to the title of the screen.
 */
export function keepFocus(document: Document): void {
  /** The focused element and its ancestors; `behind`: those from before a dialog opened. */
  let path: HTMLElement[] = [];
  let behind: HTMLElement[] = [];
  let isDue = false;

  document.addEventListener('focusin', ({ target }) => {
    const next = withAncestors(target as HTMLElement);
    if (inDialog(next) && path.length > 0 && !inDialog(path)) behind = path;
    path = next;
  });
  // Marks the page while the keyboard moves the focus: then also a heading shows it (base.css). Typing does not count.
  const root = document.documentElement;
  document.addEventListener(
    'keydown',
    ({ key, target }) => {
      const isTyping = target instanceof HTMLElement && target.matches('input, textarea');
      if (!isTyping || key === 'Tab' || key === 'Escape') root.dataset.keys = '';
    },
    { capture: true },
  );
  document.addEventListener('pointerdown', () => delete root.dataset.keys, { capture: true });
  // A tap on something that cannot have the focus removes the focus on purpose.
  document.addEventListener('pointerdown', () => (path = []), { capture: true });

  const restore = () => {
    isDue = false;
    if (path.length === 0 || document.activeElement !== document.body) return;
    const next = [...path, ...behind].map(fieldOfForm).find(canBeFocused) ?? titleOf(document);
    next?.focus({ preventScroll: true });
  };
  // An element that is disabled, or that the style sheet hides, loses the focus only when the next frame is rendered. So in the
  // first task after that frame: to wait for another one would make the browser draw it, after each change of the page.
  const changed = new MutationObserver(() => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => setTimeout(restore));
  });
  changed.observe(document.body, { childList: true, subtree: true, attributeFilter: ['class', 'disabled'] });
}

/** The title of the current screen, made focusable but no tab stop. */
function titleOf(document: Document): HTMLElement | undefined {
  const title = document.querySelector<HTMLElement>(':is(main, [role=main]) h1');
  title?.setAttribute('tabindex', '-1');
  return title ?? undefined;
}

/** In place of a form its first field. */
function fieldOfForm(element: HTMLElement): HTMLElement {
  if (!(element instanceof HTMLFormElement)) return element;
  return element.querySelector<HTMLElement>('input, textarea') ?? element;
}

function canBeFocused(element: HTMLElement): boolean {
  return isShown(element) && element.tabIndex >= 0 && !element.matches(':disabled');
}

function withAncestors(element: HTMLElement): HTMLElement[] {
  const found: HTMLElement[] = [];
  for (let one: HTMLElement | null = element; one; one = one.parentElement) found.push(one);
  return found;
}

function inDialog(path: readonly Element[]): boolean {
  return path.some(({ tagName }) => tagName === 'DIALOG');
}

function isShown(element: Element): boolean {
  if (!element.isConnected) return false;
  // Safari has `checkVisibility` since 17.4. Without boxes an element is not rendered.
  return element.checkVisibility?.() ?? element.getClientRects().length > 0;
}
