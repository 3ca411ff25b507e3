/** Classifies exceptions of SQLite: what they mean for the caller. */

/**
 * `transient`: a retry may succeed (a full disk, no memory). `broken`: this connection must not be used again.
 * `refused`: only this statement is wrong. `moved`: the file refuses all writes (movedFile.ts).
 */
export type FaultKind = 'transient' | 'broken' | 'refused' | 'moved';

/** Primary result codes of SQLite, https://sqlite.org/rescode.html. */
export const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  INTERRUPT: 9,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  NOTADB: 26,
} as const;

const TRANSIENT: ReadonlySet<number> = new Set([
  SQLITE.BUSY,
  SQLITE.LOCKED,
  SQLITE.NOMEM,
  SQLITE.INTERRUPT,
  SQLITE.FULL,
]);
const BROKEN: ReadonlySet<number> = new Set([
  SQLITE.READONLY,
  SQLITE.IOERR,
  SQLITE.CORRUPT,
  SQLITE.CANTOPEN,
  SQLITE.PROTOCOL,
  SQLITE.NOTADB,
]);

export function faultKind(error: unknown): FaultKind {
  const code = sqliteCode(error);
  if (code === undefined) return 'refused';
  if ((error as Error).message === MOVED_AWAY) return 'moved';
  if (TRANSIENT.has(code)) return 'transient';
  return BROKEN.has(code) ? 'broken' : 'refused';
}

/** The message of the triggers that refuse writes (moveSource.ts). */
export const MOVED_AWAY = 'this database was moved';

/** The primary result code; undefined for an error that did not come from SQLite. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff; // the higher bits are the extended code
}
