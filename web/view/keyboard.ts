/** Whether a real keyboard is likely: where there is a mouse or a touchpad. */
export function hasKeyboard(): boolean {
  return matchMedia('(pointer: fine)').matches;
}

/**
 * Keeps the composer above the keyboard. Where the keyboard shrinks the page (`interactive-widget`) there is nothing
 * to do; iOS lays it over the page and scrolls, and tells only the visual viewport.
 */
export function followKeyboard(window: Window): void {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const follow = () => {
    const covered = viewport.scale > 1.01 ? 0 : window.innerHeight - viewport.height; // zoomed in is no keyboard
    window.document.documentElement.style.setProperty('--keyboard', `${Math.max(0, Math.round(covered))}px`);
    if (covered > 1 && window.scrollY > 0) window.scrollTo(0, 0);
  };
  viewport.addEventListener('resize', follow);
  viewport.addEventListener('scroll', follow);
}
