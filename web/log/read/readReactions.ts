/**
 * The reactions of messages as the screen shows them: what the server has counted, with the person's own that it has not. In the
 * engine's chunk, as what fills quotes is.
 */
import { countedFor } from '../../../shared/kinds.ts';
import { type Toggle, toggled } from '../../../shared/toggles.ts';
import { countOutbox, hasNoDetached, readFollowers } from '../../db/lookups.ts';
import { keysBetween, type UserRead } from '../../db/userDatabase.ts';
import { isCountedRow, isWaiting } from '../../records/row.ts';
import { type HeldReactions, messageKey, type ShownReaction } from '../../records/storedRecords.ts';

interface ReactedLine {
  serverOffset: number;
  author: string;
  clientOffset: string;
}

/** By the key of the message (messageKey), where it has any: of these lines, which ascend, and of messages that wait themselves. */
export async function readReactions(
  tx: UserRead,
  room: string,
  me: string,
  lines: readonly ReactedLine[],
): Promise<Map<string, ShownReaction[]>> {
  const range = keysBetween(room, lines[0]?.serverOffset ?? 0, lines.at(-1)?.serverOffset ?? 0);
  const [held, detached, waiting] = await Promise.all([
    tx.objectStore('reactions').getAll(range),
    hasNoDetached(tx, room).then((isNone) =>
      isNone ? [] : tx.objectStore('detached').index('target').getAll(range),
    ),
    countOutbox(tx).then((count) => (count === 0 ? [] : readFollowers(tx, room))),
  ]);
  const counted = new Map(held.map((each) => [each.target, each]));
  const own = detached.filter((entry) => entry.author === me && countedFor(entry) !== undefined);
  const toggles = waiting.flatMap((row) => {
    if (!isCountedRow(row) || !isWaiting(row)) return [];
    return { of: messageKey(row.targetAuthor ?? me, row.target), toggle: row.fields as unknown as Toggle };
  });
  const isToggled = new Set(toggles.map(({ of }) => of));
  const hasEntry = new Set([...counted.keys(), ...own.map(({ target }) => target)]);
  const offsets = new Map(
    lines // most of a window have none
      .filter((line) => hasEntry.has(line.serverOffset) || (isToggled.size > 0 && isToggled.has(keyOf(line))))
      .map((line) => [keyOf(line), line.serverOffset]),
  );
  const keys = new Set([...offsets.keys(), ...isToggled]);
  return new Map(
    [...keys].map((key) => {
      const offset = offsets.get(key) ?? 0;
      const acknowledged = own.filter(({ target }) => target === offset) as unknown as Placed[];
      const rows = toggles.filter(({ of }) => of === key).map(({ toggle }) => toggle);
      return [key, shownReactions(counted.get(offset), acknowledged, rows)];
    }),
  );
}

const keyOf = ({ author, clientOffset }: ReactedLine) => messageKey(author, clientOffset);

type Placed = Toggle & { serverOffset: number };

/** `acknowledged`: the person's entries that the log has and the counts may lack; `waiting`: those in the outbox; both in order. */
export function shownReactions(
  held: Pick<HeldReactions, 'counts' | 'mine' | 'asOf'> | undefined,
  acknowledged: readonly Placed[],
  waiting: readonly Toggle[],
): ShownReaction[] {
  const { counts = [], mine = [], asOf = 0 } = held ?? {};
  const later = acknowledged.filter(({ serverOffset }) => serverOffset > asOf);
  const now = toggled(toggled(mine, later), waiting);
  const counted = new Map(counts.map(({ emoji, count }) => [emoji, count]));
  return [...new Set([...counted.keys(), ...now])].flatMap((emoji) => {
    const isMine = now.includes(emoji);
    const count = (counted.get(emoji) ?? 0) + Number(isMine) - Number(mine.includes(emoji));
    if (count < 1) return [];
    const isWaiting = waiting.some((toggle) => toggle.emoji === emoji);
    return { emoji, count, mine: isMine, ...(isWaiting && { waiting: true as const }) };
  });
}
