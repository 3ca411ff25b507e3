/** The list of rooms on the screen: read once as a whole, then only the rooms that change. */
import { otherIn } from '../../shared/directPair.ts';
import type { Line } from '../../shared/fold.ts';
import type { User } from '../../shared/protocol/index.ts';
import { shownName } from '../../shared/text.ts';
import type { Clock } from '../db/clock.ts';
import { coalesceCalls } from '../db/coalesceCalls.ts';
import { getOnce, readSpans } from '../db/lookups.ts';
import { SCREEN_STORES, type ScreenReader, shareReads } from '../db/shareReads.ts';
import type { UserDatabase, UserRead } from '../db/userDatabase.ts';
import { countUnread, readLastLine, readUpToOf } from '../log/read/readLines.ts';
import type { Change } from '../records/change.ts';
import { reuse } from '../records/reuse.ts';
import type { Row } from '../records/row.ts';
import type { Span } from '../records/spans.ts';
import { choicesOf, type LocalRoom } from '../records/storedRecords.ts';
import type { RoomSummary } from './model.ts';
import { countRows, lastMessage } from './readSnapshot.ts';

export interface Summaries {
  /** Pinned ones first, then the newest activity. */
  list(): RoomSummary[];
  /** Ids of those whom the user has blocked. */
  blocked(): string[];
  /** The number of rows of all rooms that wait to be sent. */
  waiting(): number;
  /** Reads again what the change concerns; resolves when the list has it. `isOwn`: of this tab. */
  refresh(change: Change, isOwn?: boolean): Promise<void>;
  /** The first read: resolves when there is something to show. */
  open(): Promise<void>;
}

/** The number of rooms in one transaction, for which a message that is being queued may have to wait. */
const ROOMS_AT_ONCE = 10;

/** The number of those whose requests are issued in one task: of ten, it would take a slow phone 190 ms. */
const ROOMS_A_TASK = 3;

/** How often the list shows what a catch-up stores: each read delays messages that are being queued. */
const CATCH_UP_READ_MS = 500;

/** `shared`: reads together with the other views. */
export function createSummaries(
  db: UserDatabase,
  me: User,
  changed: () => void,
  shared = shareReads(db),
  catchUp?: { clock: Clock; isRunning(): boolean },
): Summaries {
  let known = new Map<string, RoomSummary>();
  let waiting = 0;
  let pending: Change[] = [];
  /** To be read in CATCH_UP_READ_MS at the latest. */
  let later: Change[] = [];

  const read = coalesceCalls(async () => {
    const changes = pending;
    pending = [];
    try {
      [known, waiting] = await readRooms(roomsOf(changes));
    } catch (error) {
      pending = [...changes, ...pending];
      throw error;
    }
    changed();
  });

  /**
   * What the change says is shown without a read: reads delay writes of the outbox, and drafts change with every word. False
   * while a read is under way or due, which may have what was before.
   */
  function isShown(change: Change, isOwn: boolean): boolean {
    if (change.type === 'readers') return true; // not in the list
    if (read.isRunning()) return false;
    if (change.type === 'rows' && change.attempted) return true; // they waited, and they wait
    if (change.type === 'draft') return show(change.room, { draft: change.text });
    return (
      isOwn &&
      change.type === 'marks' &&
      change.isAtHead === true &&
      show(change.rooms[0]!, { unread: 0, mentions: [] })
    );
  }

  function show(room: string, shown: Partial<RoomSummary>): boolean {
    const before = known.get(room);
    if (!before?.member) return false;
    known.set(room, reuse(before, { ...before, ...shown }));
    changed();
    return true;
  }

  /** All rooms where `named` is undefined; and the number of rows that wait. */
  async function readRooms(named: string[] | undefined): Promise<[Map<string, RoomSummary>, number]> {
    const next = new Map(named ? known : []);
    let some = await readSome(named, next);
    while (some.left.length > 0) some = await readSome(some.left, next);
    return [next, some.waiting];
  }

  /**
   * Reads the first ROOMS_AT_ONCE of these rooms, or of all, and resolves with the others, and with the number of rows that
   * wait. A room that is gone leaves the list. Where the read is interrupted, it is made again.
   */
  function readSome(
    ids: readonly string[] | undefined,
    next: Map<string, RoomSummary>,
  ): Promise<{ left: string[]; waiting: number }> {
    const read: ScreenReader = ids ? shared : (work) => db.read(SCREEN_STORES, work);
    return read(async (tx) => {
      const wanted = ids ?? (await tx.objectStore('rooms').getAllKeys());
      const some = wanted.slice(0, ROOMS_AT_ONCE);
      const rooms = await Promise.all(some.map((id) => getOnce(tx, 'rooms', id)));
      while (rooms.length > 0) {
        const read = rooms.splice(0, ROOMS_A_TASK).map((room) => room && summaryOf(tx, room, me));
        for (const room of await Promise.all(read)) {
          const id = some.shift()!;
          if (room && (room.member || room.out || hasOwn(room))) next.set(id, reuse(known.get(id), room));
          else next.delete(id);
        }
      }
      const { waiting } = await countRows(tx);
      return { left: wanted.slice(ROOMS_AT_ONCE), waiting };
    });
  }

  async function refresh(change: Change, isOwn = false): Promise<void> {
    if (isShown(change, isOwn)) return;
    if (change.type === 'log' && catchUp?.isRunning()) {
      if (later.push(change) === 1) catchUp.clock.setTimeout(readLater, CATCH_UP_READ_MS);
      return;
    }
    pending.push(change);
    await read();
  }

  function readLater(): void {
    pending.push(...later);
    later = [];
    void read();
  }

  return {
    list: () =>
      [...known.values()].sort(
        (a, b) =>
          +b.wishes.pinned - +a.wishes.pinned ||
          (b.last?.at ?? 0) - (a.last?.at ?? 0) ||
          (a.name < b.name ? -1 : 1),
      ),
    blocked: () => [...known.values()].flatMap((room) => (room.wishes.blocked && room.with) || []),
    waiting: () => waiting,
    refresh,
    open: () => refresh({ type: 'all' }),
  };
}

/** The rooms that these changes name; undefined where rooms may have been added or removed. */
function roomsOf(changes: readonly Change[]): string[] | undefined {
  if (changes.some(({ type }) => type === 'all' || type === 'users')) return undefined;
  const named = changes.flatMap((change) =>
    'rooms' in change ? change.rooms : 'room' in change ? [change.room] : [],
  );
  return [...new Set(named)];
}

async function summaryOf(tx: UserRead, room: LocalRoom, me: User): Promise<RoomSummary> {
  const { id, kind, members } = room;
  const other = otherIn(id, me.id);
  const name = (other && (await getOnce(tx, 'users', other))?.name) || room.name;
  // at the same time: a message that is being queued waits for this read
  const [{ messages, waiting, notSent }, newest, saved, spans, count, mentions] = await Promise.all([
    countRows(tx, id),
    readLastLine(tx, id),
    tx.objectStore('drafts').get(id),
    readSpans(tx, id),
    countUnread(tx, room, me.id),
    unreadMentions(tx, room),
  ]);
  const queued = messages > 0 ? await lastMessage(tx, id) : undefined;
  const draft = saved?.text ?? '';
  const { muted = false, pinned = false, blocked = false, hidden, unread = false } = choicesOf(room);
  const isSilent = muted || (newest?.serverOffset ?? 0) <= (hidden ?? 0);
  const last = queued ? lastOfRow(queued, me) : newest && (await lastOfLine(tx, newest, me));
  return {
    id,
    name: shownName(name),
    kind,
    ...(other && { with: other }),
    members,
    about: room.about,
    role: room.role,
    pinnedEdit: room.pinnedEdit,
    last: blocked ? undefined : last,
    isEmpty: !last && holdsAll(spans, room.head),
    draft,
    waiting,
    notSent,
    unread: blocked ? 0 : count,
    mentions: blocked ? [] : mentions,
    wishes: {
      blocked,
      muted,
      pinned,
      hidden: blocked || (typeof hidden === 'number' && isSilent && waiting + notSent === 0 && draft === ''),
      unread,
    },
    member: !room.left,
    ...(room.making && { making: room.making }),
    ...(room.out && { out: room.out }),
  };
}

async function unreadMentions(tx: UserRead, { mentions, ...room }: LocalRoom): Promise<number[]> {
  if (!mentions) return [];
  const readUpTo = await readUpToOf(tx, room);
  return mentions.filter((offset) => offset > readUpTo);
}

function holdsAll([first]: readonly Span[], head: number): boolean {
  return head === 0 || (first?.from === 1 && first.to >= head);
}

/** The person has rows or a draft in the room. */
function hasOwn({ waiting, notSent, draft }: RoomSummary): boolean {
  return waiting + notSent > 0 || draft !== '';
}

function lastOfRow({ at, body }: Row, me: User): RoomSummary['last'] {
  return { author: me.name, mine: true, text: body, deleted: false, at };
}

async function lastOfLine(tx: UserRead, line: Line, me: User): Promise<RoomSummary['last']> {
  const user = await getOnce(tx, 'users', line.author);
  return {
    author: user ? shownName(user.name) : '',
    mine: line.author === me.id,
    text: line.tag === 'text' ? line.body : undefined,
    deleted: line.tag === 'deleted',
    at: line.at,
  };
}
