/**
 * The reducer of the connection: decides when to connect, when to send a heartbeat and when to give up. Events of the
 * browser, the socket and the clock go in; connect, heartbeat and teardown come out. A socket that says it is open is
 * not trusted: only bytes that arrive are (S4). Pure; connectionRunner.ts executes it. All times are milliseconds of
 * one monotonic clock.
 */

import { assertNever } from '../../shared/never.ts';
import { HIDDEN_CLOSE_MS, RECEIVING_SILENCE_MS } from '../records/pageLimits.ts';
import type { BrowserEvent } from './browser.ts';
import { applyBrowserEvent, connectIfAllowed, withLastTransport } from './browserHints.ts';
import {
  applyServerDelay,
  type ConnectionEffect,
  connectionLost,
  goToSleep,
  probe,
  type ReducerContext,
  reconnect,
  startConnecting,
  type Transition,
  withFirst,
} from './transitions.ts';
import { nextAlarmAt, type TransportState } from './transportState.ts';

export type { ConnectionEffect, ReducerContext };

export type ConnectionEvent =
  | { type: BrowserEvent }
  | { type: 'opened' }
  /** Long polling was upgraded: a websocket gets through. */
  | { type: 'upgraded' }
  | { type: 'welcomed' }
  | { type: 'refused'; code: string; retryAfter: number | undefined }
  /** An attempt to connect failed, and no server of ours said why. */
  | { type: 'failed' }
  /** Who answers at this address instead. */
  | { type: 'identified'; stranger: boolean }
  | { type: 'closed' }
  /** Bytes arrived. */
  | { type: 'received' }
  | { type: 'bye'; retryAfter: number }
  | { type: 'clock' }
  /** Whether the outbox has rows to send. */
  | { type: 'unsent-changed'; hasUnsent: boolean }
  /** Another tab or the service worker had an answer of the server: the network works again. */
  | { type: 'reached' }
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
  context: ReducerContext,
): Transition {
  const { phase } = state;
  const { now } = context;
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
          stranger: false,
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
      return refused(state, event.code, event.retryAfter, context);
    case 'failed':
      return failed(connectionLost(withLastTransport(state), context));
    case 'identified':
      return [{ ...state, stranger: event.stranger && phase.tag !== 'open' }, []];
    case 'closed':
      return connectionLost(state, context);
    case 'received':
      if (phase.tag !== 'open') return [state, []];
      return [
        {
          ...state,
          slowLosses: phase.welcomed && !context.receiving ? 0 : state.slowLosses,
          phase: { ...phase, heardAt: now, beatBy: undefined },
        },
        [],
      ];
    case 'bye':
      if (phase.tag !== 'connecting' && phase.tag !== 'open') return [state, []];
      return applyServerDelay(state, event.retryAfter, context);
    case 'clock':
      return clock(state, context);
    case 'unsent-changed':
      return unsentChanged({ ...state, hasUnsent: event.hasUnsent }, now);
    case 'reached':
      return phase.tag === 'backoff' ? connectIfAllowed(state, now) : [state, []];
    case 'uploading':
      return [{ ...state, uploading: event.bytes }, []];
    case 'suspect':
      return probe(state, now, patientUntil(state, context));
    case 'unusable':
      return phase.tag === 'open'
        ? withFirst({ type: 'teardown' }, connectionLost(state, context))
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

function clock(state: TransportState, context: ReducerContext): Transition {
  const { phase, visibility } = state;
  const { now } = context;
  if (nextAlarmAt(state) > now) return [state, []];
  if (visibility.tag === 'hidden' && !state.hasUnsent && now >= visibility.since + HIDDEN_CLOSE_MS)
    return goToSleep(state);
  switch (phase.tag) {
    case 'asleep':
    case 'refused':
      return [state, []];
    case 'backoff':
      return startConnecting(state, now);
    case 'connecting':
      return phase.userWaitsSince === undefined
        ? lostInSilence(state, context)
        : reconnect(withLastTransport(state), now);
    case 'open':
      if (!phase.welcomed) return lostInSilence(state, context);
      if (phase.beatBy === undefined) return probe(state, now, patientUntil(state, context));
      return reconnect(
        { ...state, failures: 0, slowLosses: context.receiving ? state.slowLosses + 1 : 0 },
        now,
      );
    default:
      return assertNever(phase);
  }
}

/**
 * After the second failure, and then after each fourth, it is asked who answers: without a network that is one request in
 * half a minute. After each failure where somebody else answered, so that the status is right soon after.
 */
function failed([state, effects]: Transition): Transition {
  const asks = state.phase.tag === 'backoff' && (state.stranger || state.failures % 4 === 2);
  return [state, asks ? [...effects, { type: 'identify' }] : effects];
}

/** No bytes arrived. Perhaps the network blocks this transport, so try the other one. */
function lostInSilence(state: TransportState, context: ReducerContext): Transition {
  const other = { ...state, pollingFirst: !state.pollingFirst };
  return withFirst({ type: 'teardown' }, connectionLost(other, context));
}

/**
 * How long silence is tolerated while something is being received. A frame counts as received only when all of it is
 * here, which over a slow network is long after its first byte, and the answer to a heartbeat comes behind
 * it. With a fixed limit such a frame might never arrive (O2). So the tolerated silence doubles with each loss, until the
 * user acts or the network changes.
 */
function patientUntil({ phase, slowLosses }: TransportState, { receiving }: ReducerContext): number {
  if (phase.tag !== 'open' || !receiving) return 0;
  return phase.heardAt + RECEIVING_SILENCE_MS * 2 ** Math.min(slowLosses, 3);
}

function refused(
  state: TransportState,
  code: string,
  retryAfter: number | undefined,
  context: ReducerContext,
): Transition {
  if (state.phase.tag !== 'connecting') return [state, []];
  switch (code) {
    case 'unauthorized':
      return [{ ...state, phase: { tag: 'refused', why: 'signed-out' } }, [{ type: 'teardown' }]];
    case 'upgrade-required':
      return [{ ...state, phase: { tag: 'refused', why: 'upgrade' } }, [{ type: 'teardown' }]];
    default: {
      const [after] = connectionLost(state, context);
      return retryAfter === undefined
        ? [after, [{ type: 'teardown' }]]
        : applyServerDelay(after, retryAfter, context);
    }
  }
}

function unsentChanged(state: TransportState, now: number): Transition {
  return state.phase.tag === 'asleep' && state.hasUnsent ? startConnecting(state, now) : [state, []];
}
