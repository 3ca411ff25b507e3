/** The log is one stop of the tabulator; the arrows walk over its messages. */

/** So many messages are a page: a view holds some ten. */
const PAGE = 10;

export function messageOf(element: Element): HTMLElement | undefined {
  return element.closest<HTMLElement>('[data-key]') ?? undefined;
}

/** Where a key leads among `count` messages, from the one that has the focus or, if none has, from `shown`. */
export function stepTo(
  key: string,
  from: number | undefined,
  shown: number,
  count: number,
): number | undefined {
  const to = target(key, from, shown, count);
  return to === undefined || count === 0 ? undefined : Math.min(Math.max(to, 0), count - 1);
}

function target(key: string, from: number | undefined, shown: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
      return from === undefined ? shown : from - 1;
    case 'ArrowDown':
      return from === undefined ? shown : from + 1;
    case 'PageUp':
      return from === undefined ? undefined : from - PAGE; // else the log scrolls by itself
    case 'PageDown':
      return from === undefined ? undefined : from + PAGE;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

/** Moves the focus; true when the key was one of these. */
export function walk(log: HTMLElement, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
  const messages = [...log.querySelectorAll<HTMLElement>('[data-key]')];
  const focused = messages.findIndex((message) => message.contains(document.activeElement));
  const to = stepTo(event.key, focused < 0 ? undefined : focused, lastInView(log, messages), messages.length);
  if (to === undefined) return false;
  messages[to]!.focus({ preventScroll: true });
  messages[to]!.scrollIntoView({ block: 'nearest' });
  if (to === 0 && focused === 0) messages[0]!.scrollIntoView(); // what is older loads above it
  return true;
}

/** The last message of which the end is in view. */
export function lastInView(log: HTMLElement, messages: readonly HTMLElement[]): number {
  const end = log.getBoundingClientRect().bottom + 1;
  return messages.findLastIndex((message) => message.getBoundingClientRect().bottom <= end);
}
