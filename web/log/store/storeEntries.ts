/**
 * Stores log entries within the caller's transaction: entries and the spans that cover them
 * always change together (S1).
 *
 * When a removal arrives, the content of its target and of the target's replacements is deleted from the database
 * (redaction). An older copy that arrives later, in a repeated frame or answer, is redacted before it is stored.
 */
import type { Entry } from '../../../shared/entry.ts';
import { isLine } from '../../../shared/fold.ts';
import {
  countedFor,
  isMessage,
  isNotice,
  isRemoval,
  isReplacement,
  mayAmend,
  membershipOf,
  redacted,
  repliedTo,
} from '../../../shared/kinds.ts';
import type { Quote, Reactions } from '../../../shared/protocol/index.ts';
import { readSpans } from '../../db/lookups.ts';
import { putAll } from '../../db/putAll.ts';
import { keysBetween, LEGACY_LOG_STORES, LOG_STORES, type UserWrite } from '../../db/userDatabase.ts';
import { cover, raiseAmendedTo, type Span, spanAt } from '../../records/spans.ts';
import type { HeldEntry } from '../../records/storedRecords.ts';

export const ALL_LOG_STORES = [...LOG_STORES, ...LEGACY_LOG_STORES, 'reactions'] as const;

export const SYNC_STORES = [...ALL_LOG_STORES, 'users', 'rows', 'rooms', 'marks', 'meta'] as const;

/** A contiguous part of a room's log, as received. */
export interface LogRun {
  room: string;
  /** Ascending, contiguous, at least one. */
  entries: readonly Entry[];
  /** Later entries that amend them, anywhere in the log; complete up to `amendedTo`. */
  amendments: readonly Entry[];
  amendedTo: number;
  /** The run may start a new span (`cover` in spans.ts). */
  opens: boolean;
  /**
   * A live frame of a room that this connection has not described yet. The stored log may be an older one, so the run is
   * not joined to it.
   */
  undescribed?: boolean;
  /** The messages outside the run that its replies answer. */
  quotes?: readonly Quote[] | undefined;
  /** Of messages anywhere in the log, to which reactions in the run are, or of the run itself. */
  reactions?: readonly Reactions[] | undefined;
  /** Ranges whose amendments were requested again, this run included: raises `amendedTo` of the spans within. */
  checked?: readonly Span[];
}

/** Stores the run and its span. False, and nothing is written, if it would leave a hole. */
export async function storeEntries(tx: UserWrite, logRun: LogRun): Promise<boolean> {
  const { room, entries, amendments, amendedTo, opens, quotes = [], checked = [] } = logRun;
  const run: Span = { from: entries[0]!.serverOffset, to: entries.at(-1)!.serverOffset, amendedTo };
  const before = await readSpans(tx, room);
  const covered = cover(before, run, opens);
  if (!covered) return false;
  const after = raiseAmendedTo(covered, checked);
  const outside = amendments.filter((entry) => !spanAt(after, entry.serverOffset));
  const [inside, detached] = await redactDeleted(tx, room, entries, outside);
  const quoteOf = await shownQuotes(tx, room, quotes, [...entries, ...amendments]);
  await Promise.all([
    putAll(
      tx,
      'log',
      inside.map((entry) => ({ ...logRecord(room, entry), ...quoteOf.get(repliedTo(entry) ?? 0) })),
    ),
    tx.objectStore('detached').delete(keysBetween(room, run.from, run.to)),
    putAll(
      tx,
      'detached',
      detached.map((entry) => ({ ...entry, room })),
    ),
    ...writeSpans(tx, room, before, after),
  ]);
  return true;
}

/** By serverOffset. Without the text of a message whose removal is known: a quote may be older than that. */
async function shownQuotes(
  tx: UserWrite,
  room: string,
  quotes: readonly Quote[],
  incoming: readonly Entry[],
): Promise<Map<number, { quote: Quote }>> {
  const removals = removalsIn(incoming);
  const known = await Promise.all(
    quotes.map(async (quote) => {
      const { serverOffset } = quote;
      const ofIt = keysBetween(room, serverOffset, serverOffset);
      const stored = STORES.flatMap((name) => [
        tx.objectStore(name).getAll(ofIt),
        tx.objectStore(name).index('target').getAll(ofIt),
      ]);
      const isGone =
        removals.has(serverOffset) || removalsIn((await Promise.all(stored)).flat()).has(serverOffset);
      return [serverOffset, { quote: isGone ? { serverOffset } : quote }] as const;
    }),
  );
  return new Map(known);
}

/**
 * The record in `log`: `line` puts entries that render a line, joins, leaves and notices into the index of lines. A reaction is kept out of
 * the index of targets: nobody reads it, and a message may have a thousand (storeReactions.ts has the counts).
 */
function logRecord(room: string, entry: Entry) {
  const { serverOffset } = entry;
  const about = countedFor(entry);
  if (about !== undefined) {
    const { target: _, ...rest } = entry;
    return { ...rest, room, about } as unknown as HeldEntry;
  }
  if (isLine(entry)) return { ...entry, room, line: serverOffset };
  return membershipOf(entry) || isNotice(entry)
    ? { ...entry, room, line: [serverOffset] as [number] }
    : { ...entry, room };
}

/**
 * True if another entry is stored at one of these serverOffsets. The server's data was restored by hand, and the handshake
 * could not detect it, since the user was not in the room (S1).
 */
export async function conflictsWithStored(
  tx: UserWrite,
  { room, entries, amendments }: LogRun,
): Promise<boolean> {
  const came = new Map([...entries, ...amendments].map((entry) => [entry.serverOffset, entry.clientOffset]));
  const ranges = [
    keysBetween(room, entries[0]!.serverOffset, entries.at(-1)!.serverOffset),
    ...amendments.map(({ serverOffset }) => keysBetween(room, serverOffset, serverOffset)),
  ];
  const stored = await Promise.all(
    ranges.flatMap((range) =>
      (['log', 'detached'] as const).map((name) => tx.objectStore(name).getAll(range)),
    ),
  );
  return stored.flat().some((entry) => came.get(entry.serverOffset) !== entry.clientOffset);
}

/** Stores entries outside the spans, as detached ones. Skips entries that a span covers: they are stored already. */
export async function storeDetached(tx: UserWrite, room: string, entries: readonly Entry[]): Promise<void> {
  const spans = await readSpans(tx, room);
  const outside = entries.filter((entry) => !spanAt(spans, entry.serverOffset));
  const [, kept] = await redactDeleted(tx, room, [], outside);
  await Promise.all(kept.map((entry) => tx.objectStore('detached').put({ ...entry, room })));
}

/** Issues the requests. */
function writeSpans(
  tx: UserWrite,
  room: string,
  before: readonly Span[],
  after: readonly Span[],
): Promise<unknown>[] {
  const store = tx.objectStore('logSpans');
  const isSame = (a: Span, b: Span) => a.from === b.from && a.to === b.to && a.amendedTo === b.amendedTo;
  const gone = before.filter(({ from }) => !after.some((span) => span.from === from));
  const changed = after.filter((span) => !before.some((old) => isSame(old, span)));
  return [
    ...gone.map(({ from }) => store.delete([room, from])),
    ...changed.map(({ from, to, amendedTo }) => store.put({ from, to, amendedTo, room })),
  ];
}

/** Removals by the serverOffset of their target; undefined if the removal is only known from a redacted copy. */
type Removals = ReadonlyMap<number, readonly (Entry | undefined)[]>;

/** Redacts both lists, and the stored entries that they remove. `entries` are contiguous. Resolves with the two lists. */
export async function redactDeleted(
  tx: UserWrite,
  room: string,
  entries: readonly Entry[],
  detached: readonly Entry[],
): Promise<[Entry[], Entry[]]> {
  const all = [...entries, ...detached];
  const incoming = removalsIn(all);
  const [stored] = await Promise.all([
    storedRemovals(tx, room, entries, all),
    ...[...incoming.keys()].map((target) => redactStored(tx, room, target, incoming)),
  ]);
  const removals = merged(incoming, removalsIn(stored));
  const redact = (entry: Entry) => (isRemoved(entry, removals) ? redacted(entry) : entry);
  return [entries.map(redact), detached.map(redact)];
}

/** The removals among these entries, and those of entries that arrived redacted. */
function removalsIn(entries: readonly Entry[]): Removals {
  const removals = new Map<number, (Entry | undefined)[]>();
  const add = (target: number, by: Entry | undefined) =>
    void removals.set(target, [...(removals.get(target) ?? []), by]);
  for (const entry of entries) {
    if (isRemoval(entry)) add(entry.target!, entry);
    else if (entry.deleted && isReplacement(entry)) add(entry.target!, undefined);
    else if (entry.deleted && isMessage(entry)) add(entry.serverOffset, undefined);
  }
  return removals;
}

function merged(a: Removals, b: Removals): Removals {
  return new Map([
    ...a,
    ...[...b].map(([target, by]) => [target, [...(a.get(target) ?? []), ...by]] as const),
  ]);
}

/** Stored removals of one of these entries, or of the target of one. `run`, contiguous, is looked up as one range. */
async function storedRemovals(tx: UserWrite, room: string, run: readonly Entry[], all: readonly Entry[]) {
  const [first, last] = [run[0]?.serverOffset ?? 1, run.at(-1)?.serverOffset ?? 0];
  const others = all
    .flatMap((entry) => (isReplacement(entry) ? entry.target! : isMessage(entry) ? entry.serverOffset : []))
    .filter((target) => target < first || target > last);
  const ranges = [...new Set(others)].map((target) => keysBetween(room, target, target));
  if (first <= last) ranges.push(keysBetween(room, first, last));
  const found = await Promise.all(
    ranges.flatMap((range) => STORES.map((name) => tx.objectStore(name).index('target').getAll(range))),
  );
  return found.flat().filter(isRemoval);
}

async function redactStored(tx: UserWrite, room: string, target: number, removals: Removals): Promise<void> {
  await Promise.all(
    STORES.map(async (name) => {
      const store = tx.objectStore(name);
      const [message, about] = await Promise.all([
        store.get([room, target]),
        store.index('target').getAll(keysBetween(room, target, target)),
      ]);
      const stored = [...(message ? [message] : []), ...about];
      const changed = stored.filter((entry) => entry.quote || isRemoved(entry, removals));
      await Promise.all(
        changed.map((entry) =>
          store.put(
            isRemoved(entry, removals)
              ? redactedInPlace(entry)
              : { ...entry, quote: { serverOffset: target } }, // a reply to the removed message
          ),
        ),
      );
    }),
  );
}

/** Keeps `line`: a removed message still renders a line. */
function redactedInPlace(entry: HeldEntry & { line?: number | [number] }) {
  const { room, line } = entry;
  return { ...redacted<HeldEntry>(entry), room, ...(line === undefined ? {} : { line }) };
}

/** The entry still has content and must not. A replacement is removed with its target, whoever removed that. */
function isRemoved(entry: Entry, removals: Removals): boolean {
  if (entry.deleted || entry.unreadable) return false;
  if (isReplacement(entry)) return removals.has(entry.target!);
  const by = isMessage(entry) ? removals.get(entry.serverOffset) : undefined;
  return by?.some((removal) => !removal || mayAmend(removal, entry)) === true;
}

const STORES = ['log', 'detached'] as const;
