/** True while the person can be reading: the page is visible and has the focus. A window beside another one may be visible alone. */
export function isAttended(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}
