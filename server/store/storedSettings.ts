/** What a user wants of a room, as both adapters store it. Pure. */
import type { RoomChoice, RoomSettings } from '../../shared/protocol/index.ts';

/** Each setting with the time at which the user chose it. */
export interface StoredSettings {
  rev: number;
  chosen: { [Name in keyof RoomChoice]?: { value: NonNullable<RoomChoice[Name]> | null; at: number } };
}

/** Returns `before` itself where nothing changes. */
export function withChoice(
  before: StoredSettings | undefined,
  choice: RoomChoice,
  at: number,
): StoredSettings {
  const chosen = { ...before?.chosen };
  let hasChanged = before === undefined;
  for (const [name, value] of Object.entries(choice) as [keyof RoomChoice, never][]) {
    const known = chosen[name];
    if (value === undefined || (known && known.at > at)) continue;
    if (known?.value === value && known.at === at) continue;
    chosen[name] = { value, at };
    hasChanged = true;
  }
  return hasChanged ? { rev: (before?.rev ?? 0) + 1, chosen } : before!;
}

/** Since when `blocked` holds; undefined where it does not. */
export function blockedSinceOf({ chosen }: StoredSettings): number | undefined {
  return chosen.blocked?.value ? chosen.blocked.at : undefined;
}

export function settingsOf({ rev, chosen }: StoredSettings): RoomSettings {
  const values = Object.entries(chosen).map(([name, { value }]) => [name, value]);
  return { ...Object.fromEntries(values), rev };
}
