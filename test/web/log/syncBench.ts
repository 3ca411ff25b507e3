/** The sync of one tab, over a connection that is driven by hand, against a log in memory. */
import type { Entry } from '../../../shared/entry.ts';
import { isAmendment } from '../../../shared/kinds.ts';
import { RANGE_MAX_ENTRIES } from '../../../shared/limits.ts';
import type { Room } from '../../../shared/protocol/index.ts';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { createSync, type Sync, type SyncDeps } from '../../../web/log/fetch/sync.ts';
import type { Change } from '../../../web/records/change.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { until } from '../db/until.ts';
import { amendmentsOf, catchUpOf, olderThan } from '../modelLog.ts';
import { mint } from '../state/modelServer.ts';
import { userOf, welcomeOf } from '../welcome.ts';

import 'fake-indexeddb/auto';

export const me = mint();
export const lin = mint();

export function text(serverOffset: number, body = `text ${serverOffset}`, author = lin): Entry {
  return { serverOffset, author, clientOffset: mint(), at: serverOffset, kind: 'text', body };
}

/** Appends an edit or a deletion; a deletion redacts its target, as on a server. */
export function amend(log: Entry[], kind: 'edit' | 'delete', target: number, body?: string): void {
  const { author } = log[target - 1]!;
  const rest = { author, clientOffset: mint(), at: log.length + 1, serverOffset: log.length + 1, target };
  log.push((kind === 'edit' ? { ...rest, kind, body } : { ...rest, kind }) as Entry);
  if (kind === 'edit') return;
  for (const [i, entry] of log.entries()) {
    const isIts = entry.kind === 'edit' && isAmendment(entry) && entry.target === target;
    if (i !== target - 1 && !isIts) continue;
    const { body: _, ...blank } = entry as Entry & { body?: string };
    log[i] = { ...blank, deleted: true } as Entry;
  }
}

export function grow(log: Entry[], count: number): void {
  for (let i = 0; i < count; i++) log.push(text(log.length + 1));
}

export interface Asked {
  room: string;
  from: number;
  to: number;
}

export interface Bench {
  db: UserDatabase;
  clock: FakeClock;
  sync: Sync;
  logs: Map<string, Entry[]>;
  epoch: string;
  asked: Asked[];
  told: string[];
  changes: Change[];
  failures: unknown[];
  /** The answer to a range request; undefined for none. */
  answer: (asked: Asked) => unknown;
  /** A new connection, with the welcome that a server would send. */
  connect(): Promise<void>;
  describe(room: string, more?: Partial<Room>): Room;
  settled(): Promise<void>;
  records(): Promise<string>;
}

export function bench(rooms: Record<string, Entry[]>, rest: Partial<SyncDeps> = {}): Bench {
  const clock = createFakeClock();
  const db = rest.db ?? openUserDatabase(new IDBFactory(), clock, me);
  const logs = new Map(Object.entries(rooms));
  let cursors: Record<string, readonly [number, number]> = {};
  let proofs: typeof cursors = {};
  const self: Bench = {
    db,
    clock,
    logs,
    epoch: 'one',
    asked: [],
    told: [],
    changes: [],
    failures: [],
    answer: (asked) => rangeOf(self, asked),
    sync: createSync({
      db,
      me,
      opened: () => undefined,
      clock,
      random: () => 0.5,
      changed: (change) => self.changes.push(change),
      storage: { failed: (error) => self.failures.push(error), worked() {} },
      welcomed() {},
      progressed() {},
      isSending: () => false,
      hasRead: () => false,
      shown: () => undefined,
      connection: () => ({
        tell: ({ type }) => void self.told.push(type),
        ask: (async (_: string, asked: Asked) => {
          self.asked.push(asked);
          return self.answer(asked);
        }) as never,
      }),
      ...rest,
    }),
    async connect() {
      ({ cursors = {}, proofs = {} } = await self.sync.handshake());
      const described = [...logs.keys()].map((room) => self.describe(room));
      const payload = welcomeOf(userOf(me, 'me'), described, { epoch: self.epoch });
      self.sync.frame({ event: 'welcome', payload });
      for (const { id, from, head } of described) {
        const entries = logs.get(id)!.slice(from - 1);
        if (from <= head) self.sync.frame({ event: 'entries', payload: { room: id, entries, users: {} } });
      }
      await self.settled();
    },
    describe(room, more = {}) {
      const log = logs.get(room)!;
      const [held, at] = cursors[room] ?? [0, 0];
      const [proof, proofAt] = proofs[room] ?? [0, 0];
      const is = (offset: number, at: number) => offset === 0 || log[offset - 1]?.at === at;
      const reset = is(held, at) && is(proof, proofAt) ? {} : { reset: true as const };
      const begin = catchUpOf(log, 'reset' in reset ? 0 : held);
      const rest = { kind: 'public', name: room, head: log.length, readUpTo: 0, members: 2 } as const;
      return { id: room, ...rest, ...begin, ...reset, ...more };
    },
    async settled() {
      let turn = 0;
      await until('settled', async () => {
        if (turn++ % 10 === 9) clock.pass(100); // lost requests are retried after a while
        const before = self.asked.length;
        await db.read(['logSpans'], (tx) => tx.objectStore('logSpans').count());
        return turn > 5 && before === self.asked.length && !self.sync.catchingUp();
      });
    },
    async records() {
      const all = await db.read(['log', 'detached'], async (tx) => [
        await tx.objectStore('log').getAll(),
        await tx.objectStore('detached').getAll(),
      ]);
      return JSON.stringify(all);
    },
  };
  return self;
}

export function rangeOf({ logs, epoch }: Pick<Bench, 'logs' | 'epoch'>, { room, from, to }: Asked) {
  const log = logs.get(room)!;
  const last = Math.min(to, from + RANGE_MAX_ENTRIES - 1, log.length);
  const amendments = amendmentsOf(log, from, last);
  const older = olderThan(log, from, last);
  return {
    ok: true,
    epoch,
    entries: log.slice(from - 1, last),
    amendments,
    users: {},
    head: log.length,
    ...older,
  };
}

export async function spans(
  db: UserDatabase,
): Promise<{ room: string; from: number; to: number; amendedTo: number }[]> {
  return db.read(['logSpans'], (tx) => tx.objectStore('logSpans').getAll());
}
