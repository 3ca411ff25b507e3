/** The list of rooms as it is shown: read once as a whole, then room by room as they change. */
import type { Line } from '../../shared/fold.ts';
import type { User } from '../../shared/protocol/index.ts';
import { type Change, concerns } from '../db/changes.ts';
import type { StoredRoom, UserDatabase, UserRead } from '../db/schema.ts';
import { readLastLine } from '../log/window.ts';
import { isWaiting, type Row } from '../outbox/row.ts';
import { coalesced } from './coalesced.ts';
import type { RoomSummary } from './model.ts';
import { countUnread } from './unread.ts';

export interface Summaries {
  /** Newest activity first. */
  list(): RoomSummary[];
  /** Rows that wait, of all rooms. */
  waiting(): number;
  /** Reads again what the change concerns; resolves when it is in the list. */
  refresh(change: Change): Promise<void>;
  /** The first reading: resolves when there is something to show. */
  open(): Promise<void>;
}

const STORES = ['rooms', 'users', 'rows', 'entries', 'spans', 'loose', 'drafts', 'marks'] as const;

export function createSummaries(db: UserDatabase, me: User, changed: () => void): Summaries {
  let summaries = new Map<string, RoomSummary>();
  let waiting = 0;
  let pending: Change[] = [];

  const read = coalesced(async () => {
    const changes = pending;
    pending = [];
    const next = new Map<string, RoomSummary>();
    try {
      waiting = await db.read(STORES, async (tx) => {
        for (const room of await tx.objectStore('rooms').getAll()) {
          const known = changes.some((change) => concerns(change, room.id))
            ? undefined
            : summaries.get(room.id);
          const summary = known ?? (await summaryOf(tx, room, me));
          if (summary.member || hasOwn(summary)) next.set(room.id, summary);
        }
        return (await tx.objectStore('rows').getAll()).filter(isWaiting).length;
      });
    } catch (error) {
      pending = [...changes, ...pending];
      throw error;
    }
    summaries = next;
    changed();
  });

  function refresh(change: Change): Promise<void> {
    pending.push(change);
    return read();
  }

  return {
    list: () =>
      [...summaries.values()].sort(
        (a, b) => (b.last?.at ?? 0) - (a.last?.at ?? 0) || (a.name < b.name ? -1 : 1),
      ),
    waiting: () => waiting,
    refresh,
    open: () => refresh({ type: 'all' }),
  };
}

async function summaryOf(tx: UserRead, room: StoredRoom, me: User): Promise<RoomSummary> {
  const { id, name, kind, members } = room;
  const rows = (await tx.objectStore('rows').index('room').getAll(id)).sort((a, b) => a.seq - b.seq);
  const line = await readLastLine(tx, id);
  const text = rows.findLast((row) => row.kind === 'text');
  return {
    id,
    name,
    kind,
    members,
    last: text ? lastOfRow(text, me) : line && (await lastOfLine(tx, line, me)),
    draft: (await tx.objectStore('drafts').get(id))?.text ?? '',
    waiting: rows.filter(isWaiting).length,
    notSent: rows.filter((row) => !isWaiting(row)).length,
    unread: await countUnread(tx, room, me.id),
    member: !room.left,
  };
}

/** Something of one's own is still there. */
function hasOwn({ waiting, notSent, draft }: RoomSummary): boolean {
  return waiting + notSent > 0 || draft !== '';
}

function lastOfRow({ at, body }: Row & { kind: 'text' }, me: User): RoomSummary['last'] {
  return { author: me.name, mine: true, text: body, deleted: false, at };
}

async function lastOfLine(tx: UserRead, line: Line, me: User): Promise<RoomSummary['last']> {
  return {
    author: (await tx.objectStore('users').get(line.author))?.name ?? '',
    mine: line.author === me.id,
    text: line.tag === 'text' ? line.body : undefined,
    deleted: line.tag === 'deleted',
    at: line.at,
  };
}
