/** Reports of messages and people. */
import type { DatabaseSync } from 'node:sqlite';
import type { NewReport, ReportStore } from '../port.ts';
import type { Synchronous } from './calls.ts';
import { query, transactionOn } from './rows.ts';

interface ReportRow extends Omit<NewReport, 'message' | 'reason'> {
  /** Empty: a person is reported. */
  room: string;
  serverOffset: number;
  head: number;
  /** A JSON array. */
  shown: string | null;
  reason: string | null;
}

export function reportsOn(db: DatabaseSync): Synchronous<ReportStore> {
  const transaction = transactionOn(db);
  const columns =
    'id, createdBy, createdAt, about, room, serverOffset, head, shown, recipients, reason, expiresAt';
  const open = 'FROM reports WHERE closed = 0 AND expiresAt > ?';
  const expire = query(db, 'DELETE FROM reports WHERE expiresAt <= ?');
  const same = query<{ id: string }>(
    db,
    'SELECT id FROM reports WHERE createdBy = ? AND about = ? AND room = ? AND serverOffset = ? AND closed = 0',
  );
  const ofUser = query<{ n: number }>(
    db,
    'SELECT count(*) AS n FROM reports WHERE createdBy = ? AND createdAt >= ?',
  );
  const openOfRoom = query<{ n: number }>(
    db,
    "SELECT count(*) AS n FROM reports WHERE recipients = 'moderators' AND room = ? AND closed = 0",
  );
  const openOfKeepers = query<{ n: number }>(
    db,
    "SELECT count(*) AS n FROM reports WHERE recipients = 'keepers' AND closed = 0",
  );
  const add = query(db, `INSERT INTO reports (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const listRoom = query<ReportRow>(
    db,
    `SELECT ${columns} ${open} AND recipients = 'moderators' AND room = ? ORDER BY createdAt, id`,
  );
  const listKeepers = query<ReportRow>(
    db,
    `SELECT ${columns} ${open} AND recipients = 'keepers' ORDER BY createdAt, id`,
  );
  const find = query<ReportRow>(db, `SELECT ${columns} ${open} AND id = ?`);
  const close = query(db, 'UPDATE reports SET closed = 1, expiresAt = ? WHERE id = ? AND closed = 0');
  const toKeepers = query(db, "UPDATE reports SET recipients = 'keepers' WHERE id = ? AND closed = 0");

  return {
    add: (report, most) =>
      transaction(() => {
        const { id, createdBy, createdAt, about, message, recipients, reason, expiresAt } = report;
        const { room, serverOffset, head, shown } = message ?? PERSON;
        expire.run(createdAt);
        if (same.get(createdBy, about, room, serverOffset)) return 'repeat';
        if (ofUser.get(createdBy, most.since)!.n >= most.ofUser) return 'too-many';
        const waiting = recipients === 'keepers' ? openOfKeepers.get()! : openOfRoom.get(room)!;
        if (waiting.n >= most.open) return 'full';
        const place = [room, serverOffset, head, shown ? JSON.stringify(shown) : null] as const;
        add.run(id, createdBy, createdAt, about, ...place, recipients, reason ?? null, expiresAt);
        return 'added';
      }),
    open: (room, at) => (room === undefined ? listKeepers.all(at) : listRoom.all(at, room)).map(reportOf),
    find(id, at) {
      const row = find.get(at, id);
      return row && reportOf(row);
    },
    close: (id, expiresAt) => close.run(expiresAt, id) > 0,
    toKeepers(id) {
      toKeepers.run(id);
    },
  };
}

const PERSON = { room: '', serverOffset: 0, head: 0, shown: undefined };

function reportOf({ room, serverOffset, head, shown, reason, ...report }: ReportRow): NewReport {
  const message = { room, serverOffset, head, ...(shown !== null && { shown: JSON.parse(shown) }) };
  return {
    ...report,
    ...(room !== '' && { message }),
    ...(reason !== null && { reason }),
  };
}
