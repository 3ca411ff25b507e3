/**
 * The reducer of the connection: decides when to connect, when to send a heartbeat and when to give up. Events of the
 * browser, the socket and the clock go in; connect, heartbeat and teardown come out. A socket that says it is open is
 * not trusted: only bytes that arrive are (S4). Pure; connectionRunner.ts executes it. All times are milliseconds of
 * one monotonic clock.
 */

import { assertNever } from '../../shared/never.ts';
import { HIDDEN_CLOSE_MS, RECEIVING_SILENCE_MS } from '../records/pageLimits.ts';
import type { BrowserEvent } from './browser.ts';
import { applyBrowserEvent, withLastTransport } from './browserHints.ts';
import {
  type ConnectionEffect,
  connectionLost,
  goToSleep,
  probe,
  reconnect,
  type Surroundings,
  startConnecting,
  type Transition,
  waitAsOrdered,
  withFirst,
} from './transitions.ts';
import { nextAlarmAt, type TransportState } from './transportState.ts';

export type { ConnectionEffect, Surroundings };

export type ConnectionEvent =
  | { type: BrowserEvent }
  | { type: 'opened' }
  /** Long polling was upgraded: a websocket gets through. */
  | { type: 'upgraded' }
  | { type: 'welcomed' }
  | { type: 'refused'; code: string; retryAfter: number | undefined }
  /** An attempt to connect failed, and no server of ours said why. */
  | { type: 'failed' }
  | { type: 'closed' }
  /** Bytes arrived. */
  | { type: 'received' }
  | { type: 'bye'; retryAfter: number }
  | { type: 'clock' }
  /** Rows of the outbox wait, or none any more. */
  | { type: 'waiting'; waiting: boolean }
  | { type: 'uploading'; bytes: number }
  /** An append was not answered in time. */
  | { type: 'suspect' }
  /** What the server sent could not be stored: it has to be sent again. */
  | { type: 'unusable' }
  | { type: 'signed-in' }
  /** An append was refused because of the session or the version. */
  | { type: 'stopped'; why: 'auth' | 'upgrade' };

export function reduceConnection(
  state: TransportState,
  event: ConnectionEvent,
  around: Surroundings,
): Transition {
  const { phase } = state;
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
      return applyBrowserEvent(state, event.type, now);
    case 'opened':
      if (phase.tag !== 'connecting') return [state, []];
      return [
        {
          ...state,
          phase: { tag: 'open', since: now, welcomed: false, heardAt: now, beatBy: undefined },
        },
        [],
      ];
    case 'welcomed':
      if (phase.tag !== 'open') return [state, []];
      return [
        {
          ...state,
          online: true,
          lastByPolling: state.pollingFirst,
          phase: { ...phase, since: now, welcomed: true },
        },
        [],
      ];
    case 'upgraded':
      return [{ ...state, pollingFirst: false, lastByPolling: false }, []];
    case 'refused':
      return refused(state, event.code, event.retryAfter, around);
    case 'failed':
      return connectionLost(withLastTransport(state), around);
    case 'closed':
      return connectionLost(state, around);
    case 'received':
      if (phase.tag !== 'open') return [state, []];
      return [
        {
          ...state,
          slowLosses: phase.welcomed && !around.receiving ? 0 : state.slowLosses,
          phase: { ...phase, heardAt: now, beatBy: undefined },
        },
        [],
      ];
    case 'bye':
      if (phase.tag !== 'connecting' && phase.tag !== 'open') return [state, []];
      return waitAsOrdered(state, event.retryAfter, around);
    case 'clock':
      return clock(state, around);
    case 'waiting':
      return waitingChanged({ ...state, waiting: event.waiting }, now);
    case 'uploading':
      return [{ ...state, uploading: event.bytes }, []];
    case 'suspect':
      return probe(state, now, patientUntil(state, around));
    case 'unusable':
      return phase.tag === 'open'
        ? withFirst({ type: 'teardown' }, connectionLost(state, around))
        : [state, []];
    case 'signed-in':
      if (phase.tag === 'open' && phase.welcomed) return [state, []];
      return withFirst({ type: 'teardown' }, startConnecting({ ...state, failures: 0 }, now));
    case 'stopped':
      return [
        { ...state, phase: { tag: 'refused', why: event.why === 'auth' ? 'signed-out' : 'upgrade' } },
        [{ type: 'teardown' }],
      ];
    default:
      return assertNever(event);
  }
}

function clock(state: TransportState, around: Surroundings): Transition {
  const { phase, visibility } = state;
  const { now } = around;
  if (nextAlarmAt(state) > now) return [state, []];
  if (visibility.tag === 'hidden' && !state.waiting && now >= visibility.since + HIDDEN_CLOSE_MS)
    return goToSleep(state);
  switch (phase.tag) {
    case 'asleep':
    case 'refused':
      return [state, []];
    case 'waiting':
      return startConnecting(state, now);
    case 'connecting':
      return phase.lookedAt === undefined
        ? lostInSilence(state, around)
        : reconnect(withLastTransport(state), now);
    case 'open':
      if (!phase.welcomed) return lostInSilence(state, around);
      if (phase.beatBy === undefined) return probe(state, now, patientUntil(state, around));
      return reconnect(
        { ...state, failures: 0, slowLosses: around.receiving ? state.slowLosses + 1 : 0 },
        now,
      );
    default:
      return assertNever(phase);
  }
}

/** Nothing came: the network may let through only the other transport. */
function lostInSilence(state: TransportState, around: Surroundings): Transition {
  const other = { ...state, pollingFirst: !state.pollingFirst };
  return withFirst({ type: 'teardown' }, connectionLost(other, around));
}

/**
 * How long silence is tolerated while something is being received. A frame counts as received only when all of it is
 * here, which over a slow network is long after its first byte, and the answer to a heartbeat comes behind it. If each
 * connection were given up before, the frame would never arrive (O2). So the time doubles with each loss. A person or a
 * new network ends it.
 */
function patientUntil({ phase, slowLosses }: TransportState, { receiving }: Surroundings): number {
  if (phase.tag !== 'open' || !receiving) return 0;
  return phase.heardAt + RECEIVING_SILENCE_MS * 2 ** Math.min(slowLosses, 3);
}

function refused(
  state: TransportState,
  code: string,
  retryAfter: number | undefined,
  around: Surroundings,
): Transition {
  if (state.phase.tag !== 'connecting') return [state, []];
  switch (code) {
    case 'unauthorized':
      return [{ ...state, phase: { tag: 'refused', why: 'signed-out' } }, [{ type: 'teardown' }]];
    case 'upgrade-required':
      return [{ ...state, phase: { tag: 'refused', why: 'upgrade' } }, [{ type: 'teardown' }]];
    default: {
      const [after] = connectionLost(state, around);
      return retryAfter === undefined
        ? [after, [{ type: 'teardown' }]]
        : waitAsOrdered(after, retryAfter, around);
    }
  }
}

function waitingChanged(state: TransportState, now: number): Transition {
  return state.phase.tag === 'asleep' && state.waiting ? startConnecting(state, now) : [state, []];
}
