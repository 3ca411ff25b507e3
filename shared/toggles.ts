/** Toggles of one person's reactions to a message. Pure. */

/** `on`: false takes the reaction back. */
export interface Toggle {
  emoji: string;
  on?: boolean;
}

/** The emoji after these toggles, in order. */
export function toggled(emoji: readonly string[], toggles: readonly Toggle[]): string[] {
  const held = new Set(emoji);
  for (const toggle of toggles) {
    if (toggle.on === false) held.delete(toggle.emoji);
    else held.add(toggle.emoji);
  }
  return [...held];
}
