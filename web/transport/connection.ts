/**
 * When to connect, to doubt, and to give up. Events from the browser, the socket and the clock go in; connect, beat and
 * tear down come out. Nothing a socket says of itself is trusted: only bytes that arrive are (S4). Pure; link.ts carries
 * it out. All times are milliseconds of one clock that only grows.
 */
import {
  BEAT_TIMEOUT_MS,
  HIDDEN_CLOSE_MS,
  RECEIVING_SILENCE_MS,
  REST_MOST_MS,
  SEND_BYTES_PER_SECOND,
  SILENCE_MS,
} from '../../shared/limits.ts';
import { assertNever } from '../../shared/never.ts';
import { backoff, jittered } from './backoff.ts';
import type { BrowserEvent } from './browser.ts';
import { type Connection, wakeAt } from './phase.ts';

export type ConnectionEvent =
  | { type: BrowserEvent }
  | { type: 'opened' }
  | { type: 'welcomed' }
  | { type: 'refused'; code: string; retryAfter: number | undefined }
  /** An attempt to connect failed for no reason that a server of ours gave. */
  | { type: 'failed' }
  | { type: 'closed' }
  | { type: 'heard' }
  | { type: 'bye'; retryAfter: number }
  | { type: 'clock' }
  | { type: 'waiting'; waiting: boolean }
  | { type: 'uploading'; bytes: number }
  /** An append stayed unanswered. */
  | { type: 'suspect' }
  /** What came over it could not be stored: it has to come again. */
  | { type: 'unusable' }
  | { type: 'signed-in' }
  /** An append was refused because of the session or the version. */
  | { type: 'stopped'; why: 'auth' | 'upgrade' };

export type ConnectionEffect =
  | { type: 'connect'; pollingFirst: boolean }
  | { type: 'teardown' }
  | { type: 'beat' };

export interface Surroundings {
  now: number;
  random: () => number;
  /** An answer or a catch-up is awaited. */
  receiving: boolean;
}

type Stepped = [Connection, ConnectionEffect[]];

export function step(connection: Connection, event: ConnectionEvent, around: Surroundings): Stepped {
  const { phase } = connection;
  const { now } = around;
  switch (event.type) {
    case 'visible':
    case 'pageshow':
    case 'resume':
      return lookedAt(
        event.type === 'visible' ? { ...connection, sight: { tag: 'visible' } } : connection,
        now,
      );
    case 'hidden':
      if (connection.sight.tag === 'hidden') return [connection, []];
      return [{ ...connection, sight: { tag: 'hidden', since: now } }, []];
    case 'freeze': // an open socket and what it holds would keep a page from being kept, and die meanwhile
    case 'pagehide':
      if (phase.tag === 'refused' || (phase.tag === 'waiting' && phase.told)) return [connection, []];
      return [{ ...connection, phase: { tag: 'asleep' } }, [{ type: 'teardown' }]];
    case 'online':
      return networkChanged({ ...connection, online: true }, now);
    case 'network-changed':
      return networkChanged(connection, now);
    case 'offline':
      return doubt({ ...connection, online: false }, now);
    case 'opened':
      if (phase.tag !== 'connecting') return [connection, []];
      return [
        {
          ...connection,
          phase: { tag: 'open', since: now, welcomed: false, heardAt: now, beatBy: undefined },
        },
        [],
      ];
    case 'welcomed':
      if (phase.tag !== 'open') return [connection, []];
      return [{ ...connection, online: true, phase: { ...phase, since: now, welcomed: true } }, []];
    case 'refused':
      return refused(connection, event.code, event.retryAfter, around);
    case 'failed':
    case 'closed':
      return lost(connection, around);
    case 'heard':
      if (phase.tag !== 'open') return [connection, []];
      return [
        {
          ...connection,
          overtaxed: phase.welcomed && !around.receiving ? 0 : connection.overtaxed,
          phase: { ...phase, heardAt: now, beatBy: undefined },
        },
        [],
      ];
    case 'bye':
      return told(connection, event.retryAfter, around);
    case 'clock':
      return clock(connection, around);
    case 'waiting':
      return waitingChanged({ ...connection, waiting: event.waiting }, now);
    case 'uploading':
      return [{ ...connection, uploading: event.bytes }, []];
    case 'suspect':
      return doubt(connection, now, patience(connection, around));
    case 'unusable':
      return phase.tag === 'open' ? also({ type: 'teardown' }, lost(connection, around)) : [connection, []];
    case 'signed-in':
      if (phase.tag === 'open' && phase.welcomed) return [connection, []];
      return also({ type: 'teardown' }, connect({ ...connection, failures: 0 }, now));
    case 'stopped':
      return [
        { ...connection, phase: { tag: 'refused', why: event.why === 'auth' ? 'signed-out' : 'upgrade' } },
        [{ type: 'teardown' }],
      ];
    default:
      return assertNever(event);
  }
}

function clock(connection: Connection, around: Surroundings): Stepped {
  const { phase, sight } = connection;
  const { now } = around;
  if (wakeAt(connection) > now) return [connection, []];
  if (sight.tag === 'hidden' && !connection.waiting && now >= sight.since + HIDDEN_CLOSE_MS) {
    return [{ ...connection, phase: { tag: 'asleep' } }, [{ type: 'teardown' }]];
  }
  switch (phase.tag) {
    case 'asleep':
    case 'refused':
      return [connection, []];
    case 'waiting':
      return connect(connection, now);
    case 'connecting':
      return mute(connection, around);
    case 'open':
      if (!phase.welcomed) return mute(connection, around);
      if (phase.beatBy === undefined) return doubt(connection, now, patience(connection, around));
      return reconnect(
        { ...connection, failures: 0, overtaxed: around.receiving ? connection.overtaxed + 1 : 0 },
        now,
      );
    default:
      return assertNever(phase);
  }
}

/** Somebody looks at the app: a socket that was dead for hours still says it is open. */
function lookedAt(connection: Connection, now: number): Stepped {
  const { phase } = connection;
  if (phase.tag === 'open') return doubt(connection, now);
  const stuck = phase.tag === 'connecting' && now - phase.since > BEAT_TIMEOUT_MS;
  return stuck ? reconnect(connection, now) : connectUnlessTold(connection, now);
}

/** What was begun on the network before may never end. */
function networkChanged(connection: Connection, now: number): Stepped {
  const { phase } = connection;
  if (phase.tag === 'open') return doubt(connection, now);
  return phase.tag === 'connecting' ? reconnect(connection, now) : connectUnlessTold(connection, now);
}

function connectUnlessTold(connection: Connection, now: number): Stepped {
  const { phase, sight } = connection;
  if (phase.tag === 'connecting' || phase.tag === 'refused') return [connection, []];
  if (phase.tag === 'waiting' && phase.told) return [connection, []];
  if (sight.tag === 'hidden' && !connection.waiting) return [connection, []];
  return connect(connection, now);
}

/** The other transport may be let through. */
function mute(connection: Connection, around: Surroundings): Stepped {
  return also({ type: 'teardown' }, lost({ ...connection, pollingFirst: !connection.pollingFirst }, around));
}

/** Asks for a sign of life. One that is asked for already is waited for no longer than the shorter time. */
function doubt(connection: Connection, now: number, patientUntil = 0): Stepped {
  const { phase } = connection;
  if (phase.tag !== 'open') return [connection, []];
  const soon = now + BEAT_TIMEOUT_MS + (connection.uploading / SEND_BYTES_PER_SECOND) * 1_000;
  const beatBy = Math.min(phase.beatBy ?? Number.POSITIVE_INFINITY, Math.max(soon, patientUntil));
  const isAsked = phase.beatBy !== undefined;
  return [{ ...connection, phase: { ...phase, beatBy } }, isAsked ? [] : [{ type: 'beat' }]];
}

/**
 * A frame is heard when all of it is here, which over a slow network is long after it began, and the beat's answer comes
 * behind it. Given up and begun anew each time it would never come (O2). A person or a new network ends the patience.
 */
function patience({ phase, overtaxed }: Connection, { receiving }: Surroundings): number {
  if (phase.tag !== 'open' || !receiving) return 0;
  return phase.heardAt + RECEIVING_SILENCE_MS * 2 ** Math.min(overtaxed, 3);
}

function refused(
  connection: Connection,
  code: string,
  retryAfter: number | undefined,
  around: Surroundings,
): Stepped {
  if (connection.phase.tag !== 'connecting') return [connection, []];
  switch (code) {
    case 'unauthorized':
      return [{ ...connection, phase: { tag: 'refused', why: 'signed-out' } }, [{ type: 'teardown' }]];
    case 'upgrade-required':
      return [{ ...connection, phase: { tag: 'refused', why: 'upgrade' } }, [{ type: 'teardown' }]];
    default: {
      const [after] = lost(connection, around);
      return retryAfter === undefined ? [after, [{ type: 'teardown' }]] : told(after, retryAfter, around);
    }
  }
}

/** The attempt or the connection is over. One that had lasted counts as no failure. */
function lost(connection: Connection, { now, random }: Surroundings): Stepped {
  const { phase } = connection;
  if (phase.tag !== 'connecting' && phase.tag !== 'open') return [connection, []];
  const lasted = phase.tag === 'open' && phase.welcomed && now - phase.since >= SILENCE_MS;
  const failures = lasted ? 0 : connection.failures + 1;
  return [waitFor({ ...connection, failures }, backoff(Math.max(0, failures - 1), random), false, now), []];
}

function told(connection: Connection, ms: number, { now, random }: Surroundings): Stepped {
  const wait = jittered(Math.min(ms, REST_MOST_MS), random);
  return [waitFor(connection, wait, true, now), [{ type: 'teardown' }]];
}

function waitFor(connection: Connection, ms: number, told: boolean, now: number): Connection {
  return { ...connection, phase: { tag: 'waiting', until: now + ms, told } };
}

function waitingChanged(connection: Connection, now: number): Stepped {
  return connection.phase.tag === 'asleep' && connection.waiting
    ? connect(connection, now)
    : [connection, []];
}

function reconnect(connection: Connection, now: number): Stepped {
  return also({ type: 'teardown' }, connect(connection, now));
}

function connect(connection: Connection, now: number): Stepped {
  const { pollingFirst } = connection;
  return [{ ...connection, phase: { tag: 'connecting', since: now } }, [{ type: 'connect', pollingFirst }]];
}

function also(first: ConnectionEffect, [connection, effects]: Stepped): Stepped {
  return [connection, [first, ...effects]];
}
