/**
 * When to connect, to doubt, and to give up. Events from the browser, the socket and the clock go in; connect, beat and
 * tear down come out. Nothing a socket says of itself is trusted: only bytes that arrive are (S4). Pure; link.ts carries
 * it out. All times are milliseconds of one clock that only grows.
 */

import { assertNever } from '../../shared/never.ts';
import { HIDDEN_CLOSE_MS, RECEIVING_SILENCE_MS } from '../records/pageLimits.ts';
import type { BrowserEvent } from './browser.ts';
import {
  also,
  type ConnectionEffect,
  connect,
  doubt,
  fallAsleep,
  lost,
  reconnect,
  type Stepped,
  type Surroundings,
  told,
} from './moves.ts';
import { type Connection, wakeAt } from './phase.ts';
import { asItWent, browserSaid } from './surmise.ts';

export type { ConnectionEffect, Surroundings };

export type ConnectionEvent =
  | { type: BrowserEvent }
  | { type: 'opened' }
  /** Long polling became a websocket: they do get through. */
  | { type: 'upgraded' }
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

export function step(connection: Connection, event: ConnectionEvent, around: Surroundings): Stepped {
  const { phase } = connection;
  const { now } = around;
  switch (event.type) {
    case 'visible':
    case 'pageshow':
    case 'resume':
    case 'hidden':
    case 'freeze':
    case 'pagehide':
    case 'online':
    case 'offline':
    case 'network-changed':
      return browserSaid(connection, event.type, now);
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
      return [
        {
          ...connection,
          online: true,
          polled: connection.pollingFirst,
          phase: { ...phase, since: now, welcomed: true },
        },
        [],
      ];
    case 'upgraded':
      return [{ ...connection, pollingFirst: false, polled: false }, []];
    case 'refused':
      return refused(connection, event.code, event.retryAfter, around);
    case 'failed':
      return lost(asItWent(connection), around);
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
      if (phase.tag !== 'connecting' && phase.tag !== 'open') return [connection, []];
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
  if (sight.tag === 'hidden' && !connection.waiting && now >= sight.since + HIDDEN_CLOSE_MS)
    return fallAsleep(connection);
  switch (phase.tag) {
    case 'asleep':
    case 'refused':
      return [connection, []];
    case 'waiting':
      return connect(connection, now);
    case 'connecting':
      return phase.lookedAt === undefined ? mute(connection, around) : reconnect(asItWent(connection), now);
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

/** The other transport may be let through. */
function mute(connection: Connection, around: Surroundings): Stepped {
  return also({ type: 'teardown' }, lost({ ...connection, pollingFirst: !connection.pollingFirst }, around));
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

function waitingChanged(connection: Connection, now: number): Stepped {
  return connection.phase.tag === 'asleep' && connection.waiting
    ? connect(connection, now)
    : [connection, []];
}
