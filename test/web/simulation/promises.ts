/** Checks the promises against the present contents of databases, screens and logs. The first breach ends a run. */
import {
  isMessage,
  isRemoval,
  isReplacement,
  makesRoom,
  membershipOf,
  repliedTo,
  subjectOf,
} from '../../../shared/kinds.ts';
import type { Item } from '../../../shared/protocol/index.ts';
import { LEGACY_LOG_STORES, LOG_STORES } from '../../../web/db/userDatabase.ts';
import { itemOf, type Row } from '../../../web/records/row.ts';
import type { Span } from '../../../web/records/spans.ts';
import type { HeldEntry, LocalRoom } from '../../../web/records/storedRecords.ts';
import type { Disk } from './disk.ts';
import { isOf, isOver, type Ledger } from './ledger.ts';
import { contentOf, type Lineage, type Logged, type Logs, targetOf } from './logs.ts';

/** The state of a run, apart from the logs and the disk. */
export interface Known {
  isUser(id: string): boolean;
  logs: Logs;
  disk: Disk;
  ledger: Ledger;
  /** Every body that was ever in a log. */
  appended: ReadonlySet<string>;
  /** Stored items of other kinds, and all items that were ever in a log, by their contents. */
  kept: ReadonlyMap<string, { user: string; isTaken: boolean }>;
  appendedContents: ReadonlySet<string>;
  /** Rooms that fail now. */
  failing: ReadonlySet<string>;
  /** The beginnings of entries from a server that may open a span of their own, as `user room from`. */
  announced: ReadonlySet<string>;
  /** Entries were evicted, or a log was restored by hand: a span may begin anywhere. */
  mayBeginAnywhere: boolean;
  /** Entries may have been evicted. */
  mayEvict: boolean;
  /** What was stored of a room, and in which generation of the logs, by `database room`. */
  heldBefore: Map<string, HeldBefore>;
  /** A text whose write was reported as failed may be stored all the same. */
  commitsLate: boolean;
}

type Broken = (rule: string, sentence: string) => void;

const DATABASE = 'holdfast:';

interface HeldBefore {
  generation: string | undefined;
  count: number;
  offsets: ReadonlySet<number>;
  /** Where a span may begin since the entries before it were deleted: logs are deleted in slices, the oldest first. */
  cuts: ReadonlySet<number>;
}

export function userOf(database: string): string | undefined {
  return database.startsWith(DATABASE) ? database.slice(DATABASE.length) : undefined;
}

export function rowsOf(disk: Disk, user: string): Row[] {
  return disk.read<Row>(DATABASE + user, 'rows');
}

/** Checks one user's database: the state after a kill of the browser now. */
export function checkDatabase(known: Known, database: string, broken: Broken): void {
  const user = userOf(database);
  if (user === undefined || !known.disk.isClean(database)) return;
  if (!known.isUser(user)) broken('O5', `${database} is of no user`);
  const rows = known.disk.read<Row>(database, 'rows');
  checkLogs(known, database, user, rows, broken);
  checkRows(known, database, user, rows, broken);
  checkFailing(known, database, user, broken);
}

/** A room that fails stays in the list, unless the user left it. */
function checkFailing({ failing, logs, disk }: Known, database: string, user: string, broken: Broken): void {
  const rooms = disk.read<LocalRoom>(database, 'rooms');
  for (const id of failing) {
    const log = logs.lineages().flatMap(({ rooms }) => rooms.get(id)?.log ?? []);
    const hasLeft = log.some(({ entry }) => membershipOf(entry) === 'left' && subjectOf(entry) === user);
    const isHeld = disk.read<HeldEntry>(database, 'log').some(({ room }) => room === id);
    const stored = rooms.find((room) => room.id === id);
    if (isHeld && !hasLeft && (!stored || stored.left)) broken('S2', `${id} failed, and is left`);
  }
}

function checkLogs(known: Known, database: string, user: string, rows: readonly Row[], broken: Broken): void {
  const [now, unmoved] = [LOG_STORES, LEGACY_LOG_STORES].map((stores) =>
    heldIn(known.disk, database, stores),
  );
  for (const room of new Set([...now!.keys(), ...unmoved!.keys()])) {
    const [held, older] = [now!.get(room) ?? NOTHING, unmoved!.get(room) ?? NOTHING];
    const kept = [...held.entries, ...held.loose];
    const all = [...kept, ...older.entries, ...older.loose];
    const epoch = known.disk.readAt<string>(database, 'meta', 'epoch');
    const keys = new Set(all.map(({ author, clientOffset }) => `${author} ${clientOffset}`));
    const offsets = new Set([...held.entries, ...older.entries].map(({ serverOffset }) => serverOffset));
    const cuts = checkNothingDropped(known, database, room, keys.size, offsets, broken);
    checkLog(known, { user, room, epoch, known: kept, beside: older.entries, cuts }, held, broken);
    checkLog(known, { user, room, epoch, known: all, beside: held.entries, cuts }, older, broken);
    const deleted = new Set(kept.flatMap((entry) => (isRemoval(entry) ? entry.target! : [])));
    for (const entry of kept) checkBlank(entry, deleted, room, broken); // entries that are not migrated yet are checked after the migration
    for (const row of rows)
      if (row.room === room && keys.has(`${user} ${row.clientOffset}`))
        broken('O3', `${row.clientOffset} waits in ${room} and is in its log at once`);
  }
}

/** What was held stays held, while no log is deleted and nothing is evicted. Returns where deletions have cut the log. */
function checkNothingDropped(
  { disk, heldBefore, mayEvict }: Known,
  database: string,
  room: string,
  count: number,
  offsets: ReadonlySet<number>,
  broken: Broken,
): ReadonlySet<number> {
  const generation = disk.readAt<string>(database, 'meta', 'generation');
  const before = heldBefore.get(`${database} ${room}`);
  const isDeleting = before !== undefined && before.generation !== generation;
  const isCut = (offset: number) => before?.offsets.has(offset - 1) === true && !offsets.has(offset - 1);
  const cuts = new Set(isDeleting ? [...before.cuts, ...[...offsets].filter(isCut)] : before?.cuts);
  heldBefore.set(`${database} ${room}`, { generation, count, offsets, cuts });
  if (!mayEvict && before && !isDeleting && count < before.count)
    broken('S3', `${room} holds ${count} entries, and held ${before.count} before`);
  return cuts;
}

interface Held {
  entries: readonly HeldEntry[];
  loose: readonly HeldEntry[];
  spans: readonly Span[];
}
type Targeted = HeldEntry & { target: number };

const NOTHING: Held = { entries: [], loose: [], spans: [] };

function heldIn(disk: Disk, database: string, stores: readonly [string, string, string]): Map<string, Held> {
  const [entries, spans, loose] = stores.map((store) => byRoom(disk.read<HeldEntry>(database, store)));
  const rooms = new Set([entries!, spans!, loose!].flatMap((each) => [...each.keys()]));
  return new Map(
    [...rooms].map((room) => [
      room,
      {
        entries: entries!.get(room) ?? [],
        spans: (spans!.get(room) ?? []) as unknown as Span[],
        loose: loose!.get(room) ?? [],
      },
    ]),
  );
}

interface Of {
  user: string;
  room: string;
  epoch: string | undefined;
  /** The entries that may amend it. */
  known: readonly HeldEntry[];
  /** Spans in the other stores: a span that touches one of them may be a part of a received one. */
  beside: readonly HeldEntry[];
  cuts: ReadonlySet<number>;
}

function checkLog({ logs, announced, mayBeginAnywhere }: Known, of: Of, held: Held, broken: Broken) {
  const { user, room, epoch } = of;
  const at = new Map(held.entries.map((entry) => [entry.serverOffset, entry]));
  const beside = new Set(of.beside.map(({ serverOffset }) => serverOffset));
  const covered = held.spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  if (covered !== at.size) broken('S1', `the spans of ${room} cover ${covered}, and ${at.size} are held`);
  const edits = of.known.filter(isReplacement) as Targeted[];
  for (const entry of held.loose)
    if (!logs.lineages().some((lineage) => isOfLineage(lineage, room, [entry])))
      broken('S1', `${room} ${entry.serverOffset} is held, and is so in no log`);
  for (const span of held.spans) {
    const run: HeldEntry[] = [];
    for (let offset = span.from; offset <= span.to; offset++) {
      const entry = at.get(offset);
      if (!entry) return broken('S1', `${room} ${offset} is covered and not held`);
      run.push(entry);
    }
    let [begin, end] = [span.from, span.to];
    while (beside.has(begin - 1)) begin--;
    while (beside.has(end + 1)) end++;
    let isGiven = false;
    for (let offset = begin; offset <= end; offset++) isGiven ||= announced.has(`${user} ${room} ${offset}`);
    if (begin > 1 && !isGiven && !mayBeginAnywhere && !of.cuts.has(begin))
      broken('S2', `a span of ${room} begins at ${span.from}, where none was given`);
    const lineages = logs
      .lineages()
      .filter((lineage) => (epoch ?? lineage.epoch) === lineage.epoch && isOfLineage(lineage, room, run));
    if (lineages.length === 0) broken('S1', `${room} ${span.from}–${span.to} is of no log of its epoch`);
    else if (!lineages.some((lineage) => knowsAmendments(lineage, room, span, run, edits)))
      broken('S3', `${room} ${span.from}–${span.to} lacks an edit or deletion up to ${span.amendedTo}`);
  }
}

/** A message with a stored deletion has no stored content, and neither have its edits, and the quotes of it. */
function checkBlank(entry: HeldEntry, deleted: ReadonlySet<number>, room: string, broken: Broken): void {
  if (entry.quote?.body !== undefined && deleted.has(entry.quote.serverOffset))
    broken('S3', `${room} ${entry.serverOffset} quotes what is deleted`);
  if (entry.deleted || !(isMessage(entry) || isReplacement(entry))) return;
  const message = isReplacement(entry) ? entry.target! : entry.serverOffset;
  if (deleted.has(message))
    broken('S3', `${room} ${entry.serverOffset} is deleted and still says all that it said`);
}

export function isOfLineage(lineage: Lineage, room: string, run: readonly HeldEntry[]): boolean {
  const { log } = lineage.rooms.get(room) ?? { log: [] };
  return run.every((entry) => {
    const logged = log[entry.serverOffset - 1];
    return logged !== undefined && isCopy(entry, logged);
  });
}

/** The stored entry equals the log's, with all its fields, or is redacted like it. */
function isCopy(held: HeldEntry, { entry, isRedacted }: Logged): boolean {
  if (held.clientOffset !== entry.clientOffset || held.author !== entry.author) return false;
  if (held.kind !== entry.kind || held.at !== entry.at) return false;
  if (held.subject !== entry.subject) return false;
  const isAcknowledgedReply = held.target === undefined && repliedTo(entry) !== undefined; // its frame will tell
  const about = (held as { about?: number }).about ?? held.target; // a reaction is kept out of the index of targets
  if (about !== entry.target && !isAcknowledgedReply) return false;
  const isSame = Object.entries(entry).every(
    ([field, value]) => field === 'target' || isEqual(held[field as never], value),
  );
  return held.deleted ? isRedacted : isSame;
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** A span with known amendments up to an offset has all edits and deletions up to there that apply to it. */
function knowsAmendments(
  lineage: Lineage,
  room: string,
  { from, to, amendedTo }: Span,
  run: readonly HeldEntry[],
  edits: readonly (HeldEntry & { target: number })[],
): boolean {
  const log = lineage.rooms.get(room)!.log;
  const known = log.filter((each) => {
    const target = targetOf(each);
    return target !== undefined && target >= from && target <= to && each.entry.serverOffset <= amendedTo;
  });
  return known.every((each) => {
    const target = targetOf(each)!;
    if (run[target - from]!.deleted) return true;
    if (isRemoval(each.entry)) return false;
    return (
      each.isRedacted ||
      edits.some((edit) => edit.target === target && edit.serverOffset >= each.entry.serverOffset)
    );
  });
}

function checkRows(known: Known, database: string, user: string, rows: readonly Row[], broken: Broken): void {
  const { logs, disk, ledger, appended, commitsLate } = known;
  const epoch = disk.readAt<string>(database, 'meta', 'epoch');
  for (const row of rows) {
    if (row.body !== undefined && !isOf(row.body, user)) broken('O5', `“${row.body}” waits among ${user}’s`);
    const said = ledger.find(row.body ?? '');
    if ((said?.isTold || said?.abandoned) && !commitsLate)
      broken('O3', `“${said.text}” was told as not stored, and waits`);
    if (row.targetOffset === undefined || row.target === undefined) continue; // of a reply it is a hint for the quote
    const { room, target, targetOffset } = row;
    // Or of a later lineage: the worker may get an acknowledgement before any tab notices the restore.
    const all = logs.lineages();
    const isThere = all
      .slice(all.findIndex((lineage) => lineage.epoch === epoch))
      .some((lineage) => lineage.rooms.get(room)?.log[targetOffset - 1]?.entry.clientOffset === target);
    if (!isThere)
      broken('O4', `${row.clientOffset} is to change what stands at ${targetOffset}, which is another text`);
  }
  const queued = new Set(rows.map((row) => contentOf(itemOf(row))));
  for (const [content, kept] of known.kept)
    if (kept.isTaken && kept.user === user && !queued.has(content) && !known.appendedContents.has(content))
      broken('O1 O4', `${content}, of another kind, was taken, and is nowhere`);
  const waiting = new Set(rows.flatMap((row) => row.body ?? []));
  const isThere = (text: string) => waiting.has(text) || appended.has(text);
  for (const body of ledger.all()) {
    if (body.of.user !== user || body.accepted === undefined || isThere(body.text)) continue;
    if (!isOver(body, isThere)) broken('O1 O4', `“${body.text}” was taken, and is nowhere`);
  }
}

/** A sent item equals its row in the database, which is marked as sending, and the sender holds the fence (O4, S5). */
export function checkEmitted(
  disk: Disk,
  as: string,
  items: readonly Item[],
  mayBe: (drain: string | undefined) => boolean,
  broken: Broken,
) {
  const rows = new Map(rowsOf(disk, as).map((row) => [row.clientOffset, row]));
  const makers = new Map(
    [...rows.values()].flatMap((row) => (makesRoom(row.kind) ? [[row.room, row.clientOffset]] : [])),
  );
  for (const item of items) {
    const row = rows.get(item.clientOffset);
    if ((makers.get(item.room) ?? item.clientOffset) !== item.clientOffset)
      broken('L5', `${item.clientOffset} is sent before its room is made`);
    if (!row) broken('O4', `${item.clientOffset} is sent and stands nowhere`);
    else if (row.state.tag !== 'sending' || !row.attempted)
      broken('O3', `${item.clientOffset} is sent and says “${row.state.tag}”`);
    else if (contentOf(itemOf(row)) !== contentOf(item))
      broken('O4', `${item.clientOffset} is sent otherwise than it stands`);
  }
  if (!mayBe(disk.readAt<string>(DATABASE + as, 'meta', 'drain')))
    broken('S5', 'who sends is not who may send');
}

function byRoom<T extends { room: string }>(records: readonly T[]): Map<string, T[]> {
  const rooms = new Map<string, T[]>();
  for (const record of records) {
    const list = rooms.get(record.room);
    if (list) list.push(record);
    else rooms.set(record.room, [record]);
  }
  return rooms;
}
