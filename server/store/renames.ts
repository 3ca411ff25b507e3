/** How often a user may be renamed, for both stores. The times of the last renames are stored with the user. Pure. */
import type { RenameLimit } from './port.ts';

/** The times to store for one more rename, ascending; or when the next one is allowed, where there were too many. */
export function withRename(
  times: readonly number[],
  { at, most, withinMs }: RenameLimit,
): number[] | { againAt: number } {
  const recent = times.filter((time) => time > at - withinMs);
  if (recent.length >= most) return { againAt: recent.at(-most)! + withinMs };
  return [...recent, at];
}
