/**
 * What a client of the load does about entries that it misses, by the rule of the app (`missingRange`): where at most 200 are
 * missing it requests them all; of more, the newest 50, and the rest stays a hole, which the app fetches when somebody scrolls
 * there. So each message counts exactly once: as live, as fetched, or as left. Offsets are read from the bytes of a frame,
 * without parsing it. After its beginning, a log of the load has only messages.
 */
import { RANGE_MAX_ENTRIES } from '../../../shared/limits.ts';
import type { Cursor, Room, Welcome } from '../../../shared/protocol/index.ts';
import { missingRange, type OffsetRange } from '../../../web/records/spans.ts';
import { digitsAt, eachMark } from './marks.ts';

export interface Hearing {
  /** The number of a message that arrived in a live frame. */
  live(number: number): void;
  /** The number of a message that arrived in the answer to a range, or in the catch-up after a lost connection. */
  fetched(number: number): void;
  /** So many messages were missed that are not fetched. */
  left(messages: number): void;
}

export interface LogFollower {
  /** The frames of these names, as packets. */
  welcome(packet: Buffer): void;
  room(packet: Buffer): void;
  entries(packet: Buffer): void;
  heads(packet: Buffer): void;
  /** What the handshake after a lost connection says. */
  known(): { epoch: string | undefined; cursors: Record<string, Cursor> };
}

interface FollowedLog {
  /** Everything up to here was counted. 0 before the first welcome. */
  end: number;
  /** The time of that entry. */
  at: number;
  head: number;
  /** The end of the catch-up that a welcome has announced. */
  caughtUpTo: number;
  isRequesting: boolean;
}

/** `request`: calls back with the packet of the answer, or with undefined if the connection was lost before it. */
export function createLogFollower(
  { live, fetched, left }: Hearing,
  request: (room: string, range: OffsetRange, onAnswer: (packet: Buffer | undefined) => void) => void,
): LogFollower {
  const logs = new Map<string, FollowedLog>();
  let epoch: string | undefined;

  /** Counts the messages of a packet that follow on `end`; those before it are repeats. */
  function count(log: FollowedLog, packet: Buffer, first: number, hear: (number: number) => void) {
    const last = Math.max(first, lastNumberAfter(packet, OFFSET));
    if (last <= log.end) return;
    let repeated = log.end + 1 - first;
    if (repeated === 0) eachMark(packet, hear);
    else eachMark(packet, (number) => repeated-- <= 0 && hear(number));
    log.end = last;
    log.at = lastNumberAfter(packet, AT);
    log.head = Math.max(log.head, last);
  }

  function skipTo(log: FollowedLog, next: number) {
    if (next <= log.end + 1) return;
    left(next - 1 - log.end);
    log.end = next - 1;
  }

  function fetchMissing(room: string, log: FollowedLog) {
    const range = missingRange(log.end, log.head, RANGE_MAX_ENTRIES);
    if (!range || log.isRequesting || log.end < log.caughtUpTo) return;
    log.isRequesting = true;
    request(room, range, (packet) => {
      log.isRequesting = false;
      if (!packet) return; // the next welcome says what is missing
      const first = firstNumberAfter(packet, OFFSET);
      if (first !== range.from)
        throw new Error(
          `the range from ${range.from} of ${room} begins at ${first}: ${packet.subarray(0, 300)}`,
        );
      skipTo(log, first);
      count(log, packet, first, fetched);
      log.head = Math.max(log.head, lastNumberAfter(packet, HEAD));
      fetchMissing(room, log);
    });
  }

  function describe({ id, from, head, reset }: Room) {
    const log = logs.get(id);
    if (!log) {
      // what was written before the first welcome was not missed
      logs.set(id, { end: from - 1, at: 0, head, caughtUpTo: head, isRequesting: false });
      return;
    }
    if (reset) throw new Error(`the server does not know the end of the log of ${id} that it sent`);
    log.head = Math.max(log.head, head);
    log.caughtUpTo = head;
    skipTo(log, from);
  }

  return {
    welcome(packet) {
      const welcome = payloadOf<Welcome>(packet);
      epoch = welcome.epoch;
      for (const room of welcome.rooms) describe(room);
    },
    room(packet) {
      const { room } = payloadOf<{ room?: Room }>(packet);
      if (room) describe(room); // the server could not read it when it sent the welcome
    },
    entries(packet) {
      const room = roomOf(packet);
      const log = logs.get(room);
      if (!log) throw new Error(`entries of a room without a welcome: ${packet.subarray(0, 300)}`);
      const first = firstNumberAfter(packet, OFFSET);
      if (first <= log.end + 1) count(log, packet, first, log.end < log.caughtUpTo ? fetched : live);
      else log.head = Math.max(log.head, lastNumberAfter(packet, OFFSET));
      if (log.end < log.head) fetchMissing(room, log);
    },
    heads(packet) {
      const heads = payloadOf<Record<string, number>>(packet);
      for (const [room, head] of Object.entries(heads)) {
        const log = logs.get(room);
        if (!log) continue;
        log.head = Math.max(log.head, head);
        fetchMissing(room, log);
      }
    },
    known() {
      const received = [...logs].filter(([, { at }]) => at > 0);
      return { epoch, cursors: Object.fromEntries(received.map(([room, { end, at }]) => [room, [end, at]])) };
    },
  };
}

const EVENT_PREFIX = '42';
const ENTRIES_PREFIX = '42["entries",{"room":"';
const OFFSET = Buffer.from('"serverOffset":');
const AT = Buffer.from('"at":');
const HEAD = Buffer.from('"head":');

/** Of an event that comes seldom. */
function payloadOf<T>(packet: Buffer): T {
  return JSON.parse(packet.toString().slice(EVENT_PREFIX.length))[1];
}

function roomOf(packet: Buffer): string {
  return packet.toString('latin1', ENTRIES_PREFIX.length, packet.indexOf(QUOTE, ENTRIES_PREFIX.length));
}

const QUOTE = 0x22;

function firstNumberAfter(packet: Buffer, field: Buffer): number {
  return numberAfter(packet, packet.indexOf(field), field);
}

function lastNumberAfter(packet: Buffer, field: Buffer): number {
  return numberAfter(packet, packet.lastIndexOf(field), field);
}

/** NaN where the packet has no such field. */
function numberAfter(packet: Buffer, at: number, field: Buffer): number {
  return at === -1 ? Number.NaN : digitsAt(packet, at + field.length);
}
