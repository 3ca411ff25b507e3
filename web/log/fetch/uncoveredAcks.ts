/**
 * Own entries that were acknowledged outside all spans: the first answer was lost, and a repeat was acknowledged later.
 * Another device of the user may have amended them meanwhile, so they are fetched with their amendments (O3). Whoever
 * received the acknowledgement may be gone before that, the service worker always is, so each welcome checks all of them.
 */
import { isMessage } from '../../../shared/kinds.ts';
import { readSpans } from '../../db/lookups.ts';
import type { UserDatabase } from '../../db/userDatabase.ts';
import { contiguousRanges, type OffsetRange, spanAt } from '../../records/spans.ts';
import type { SyncSessions } from './syncSession.ts';

export interface UncoveredAcks {
  check(room: string, serverOffset: number): void;
  /** Checks all own detached messages, and those that were not answered before. */
  checkAll(): void;
  leave(room: string): void;
}

interface Deps {
  db: UserDatabase;
  me: string;
  sessions: Pick<SyncSessions, 'inOrder'>;
  headOf(room: string): number;
  pieceEntries(): number;
  fill(room: string, range: OffsetRange): Promise<'held' | 'nothing' | 'lost' | 'refused'>;
}

export function createUncoveredAcks({ db, me, sessions, headOf, pieceEntries, fill }: Deps): UncoveredAcks {
  const offsetsByRoom = new Map<string, Set<number>>();
  let isChecking = false;

  function start(): void {
    if (isChecking || offsetsByRoom.size === 0) return;
    isChecking = true;
    // after all frames that arrived before: they cover most of these entries
    sessions
      .inOrder(async () => {})
      .then(checkRooms)
      .catch((error) => console.warn('own messages were not looked up', error))
      .finally(() => {
        isChecking = false;
      });
  }

  async function checkRooms(): Promise<void> {
    for (const [room, offsets] of offsetsByRoom) {
      while (offsets.size > 0 && (await checkRoom(room, offsets)));
      if (offsets.size === 0) offsetsByRoom.delete(room); // else kept for the next connection
    }
  }

  /** False if an answer was lost. */
  async function checkRoom(room: string, offsets: Set<number>): Promise<boolean> {
    const checked = [...offsets];
    const spans = await db.read(['logSpans'], (tx) => readSpans(tx, room));
    // entries beyond the known head will arrive as frames
    const uncovered = checked.filter((offset) => offset <= headOf(room) && !spanAt(spans, offset));
    for (const range of contiguousRanges(uncovered, pieceEntries()))
      if ((await fill(room, range)) === 'lost') return false;
    for (const offset of checked) offsets.delete(offset);
    return true;
  }

  function check(room: string, serverOffset: number): void {
    offsetsByRoom.set(room, (offsetsByRoom.get(room) ?? new Set()).add(serverOffset));
    start();
  }

  async function checkAll(): Promise<void> {
    const detached = await db.read(['detached'], (tx) => tx.objectStore('detached').getAll());
    for (const entry of detached)
      if (entry.author === me && isMessage(entry)) check(entry.room, entry.serverOffset);
    start();
  }

  return {
    check,
    checkAll: () => void checkAll().catch((error) => console.warn('own messages were not looked up', error)),
    leave: (room) => void offsetsByRoom.delete(room),
  };
}
