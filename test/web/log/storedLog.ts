/** Fills a browser's database with a log and an outbox, without a sync. */
import type { Entry } from '../../../shared/entry.ts';
import { isLine } from '../../../shared/fold.ts';
import { isAmendment, membershipOf } from '../../../shared/kinds.ts';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import type { Row } from '../../../web/records/row.ts';
import { type Span, spanAt } from '../../../web/records/spans.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { ROOM } from '../outbox/support.ts';

import 'fake-indexeddb/auto';

export function emptyDatabase(me: string): UserDatabase {
  return openUserDatabase(new IDBFactory(), createFakeClock(), me);
}

/** Replaces the stored log, by default all of it read: entries in the spans; outside of them, amendments of those, and the entries `detached`. */
export async function holdOf(
  db: UserDatabase,
  log: readonly Entry[],
  spans: readonly Span[],
  detached: ReadonlySet<number> = new Set(),
  readUpTo = log.length,
): Promise<void> {
  await db.write(['rooms', 'log', 'logSpans', 'detached'], async (tx) => {
    for (const name of ['log', 'logSpans', 'detached'] as const) await tx.objectStore(name).clear();
    const room = {
      id: ROOM,
      kind: 'public',
      name: 'Lobby',
      head: log.length,
      readUpTo,
      members: 2,
    } as const;
    await tx.objectStore('rooms').put(room);
    for (const span of spans) await tx.objectStore('logSpans').put({ ...span, room: ROOM });
    const held = (offset: number) => spanAt(spans, offset) !== undefined;
    for (const entry of log) {
      const amends = isAmendment(entry) && held(entry.target);
      const name = held(entry.serverOffset) ? 'log' : 'detached';
      if (name === 'log' || amends || detached.has(entry.serverOffset))
        void tx.objectStore(name).put({ ...entry, room: ROOM, ...lineOf(name, entry) });
    }
  });
}

function lineOf(store: 'log' | 'detached', entry: Entry): { line?: number | [number] } {
  if (store !== 'log') return {};
  if (membershipOf(entry)) return { line: [entry.serverOffset] };
  return isLine(entry) ? { line: entry.serverOffset } : {};
}

export async function queue(db: UserDatabase, rows: readonly Row[]): Promise<void> {
  await db.write(['rows'], async (tx) => {
    await tx.objectStore('rows').clear();
    for (const row of rows) void tx.objectStore('rows').put(row);
  });
}
