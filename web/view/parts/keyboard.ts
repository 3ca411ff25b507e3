/** True where a physical keyboard is likely: with a mouse or a touchpad. */
export function hasKeyboard(): boolean {
  return matchMedia('(pointer: fine)').matches;
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
