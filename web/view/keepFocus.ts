/**
 * The focus is never lost: what had it may vanish (a message is discarded, a room is left, a phone hides the list of
 * rooms), and then a browser lets it fall to the body, from where a keyboard begins at the top and who listens hears
 * nothing. It goes to what the vanished thing stood in, or to the title of what is shown.
 */
export function keepFocus(document: Document): void {
  /** What has the focus, with all that it stands in; then the same of what had it before a dialog opened. */
  let places: HTMLElement[] = [];
  let behind: HTMLElement[] = [];

  document.addEventListener('focusin', ({ target }) => {
    const next = withAncestors(target as HTMLElement);
    if (inDialog(next) && places.length > 0 && !inDialog(places)) behind = places;
    places = next;
  });
  // A tap beside everything puts it away on purpose.
  document.addEventListener('pointerdown', () => (places = []), { capture: true });

  const look = () => {
    if (places.length === 0 || document.activeElement !== document.body) return;
    const next = [...places, ...behind].find((one) => isShown(one) && one.tabIndex >= 0) ?? titleOf(document);
    next?.focus({ preventScroll: true });
  };
  // What is hidden by the style sheet loses it when the next frame is drawn.
  const changed = new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(look)));
  changed.observe(document.body, { childList: true, subtree: true, attributeFilter: ['class'] });
}

/** Of what is shown. It can have the focus then, and is no stop of the tabulator. */
function titleOf(document: Document): HTMLElement | undefined {
  const title = document.querySelector<HTMLElement>(':is(main, [role=main]) h1');
  title?.setAttribute('tabindex', '-1');
  return title ?? undefined;
}

function withAncestors(element: HTMLElement): HTMLElement[] {
  const found: HTMLElement[] = [];
  for (let one: HTMLElement | null = element; one; one = one.parentElement) found.push(one);
  return found;
}

function inDialog(places: readonly Element[]): boolean {
  return places.some(({ tagName }) => tagName === 'DIALOG');
}

function isShown(element: Element): boolean {
  return element.isConnected && element.checkVisibility();
}
