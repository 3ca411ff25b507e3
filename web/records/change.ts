/** Change events of the user's database. Tabs and the service worker send them to each other (web/db/changes.ts, S5). */

export type Change =
  /** The list of rooms changed, or anything may have changed. */
  | { type: 'all' }
  /** Stored log entries of these rooms. */
  | { type: 'log'; rooms: readonly string[] }
  /**
   * Outbox rows of these rooms, and perhaps their logs. `attempted`: only that the rows with these keys are being sent
   * now.
   */
  | { type: 'rows'; rooms: readonly string[]; attempted?: readonly string[] }
  /** Like `rows`, and there is something to send. `body`: of a new message of the room. */
  | { type: 'queued'; rooms: readonly string[]; body?: string }
  /** Own entries were acknowledged outside all spans: later amendments of them may be missing. */
  | { type: 'placed'; placed: readonly UncoveredAck[] }
  | { type: 'draft'; room: string; text: string }
  /** The names of these users. */
  | { type: 'users'; users: readonly string[] }
  /** The read markers of these rooms. `isAtHead`: each is at the end of the log, as far as that is known. */
  | { type: 'marks'; rooms: readonly string[]; isAtHead?: boolean }
  /** In these rooms, up to which entry all have read. */
  | { type: 'readers'; rooms: readonly string[] }
  /** Heartbeat of the drain lock's holder, every LOCK_HEARTBEAT_MS while it makes progress (being alive is not enough). */
  | { type: 'draining'; holder: string };

/** An own entry that the server has acknowledged and that no stored span covers. */
export interface UncoveredAck {
  room: string;
  serverOffset: number;
}

/** Whether a view of the room has to be refreshed. */
export function concerns(change: Change, room: string): boolean {
  switch (change.type) {
    case 'all':
    case 'users':
      return true;
    case 'log':
    case 'rows':
    case 'queued':
    case 'marks':
    case 'readers':
      return change.rooms.includes(room);
    case 'draft':
      return change.room === room;
    case 'placed':
    case 'draining':
      return false;
  }
}
