/**
 * What the connection does with the browser's events. They are hints: the page is visible again, the network changed,
 * the page is suspended. Often no event comes at all: a phone that has left its Wi-Fi only becomes visible again (S4).
 * Pure.
 */

import { assertNever } from '../../shared/never.ts';
import { CONNECTION_HEARTBEAT_TIMEOUT_MS } from '../records/pageLimits.ts';
import type { BrowserEvent } from './browser.ts';
import { goToSleep, probe, reconnect, startConnecting, type Transition } from './transitions.ts';
import type { TransportState } from './transportState.ts';

export function applyBrowserEvent(state: TransportState, event: BrowserEvent, now: number): Transition {
  const { phase } = state;
  switch (event) {
    case 'visible':
      return pageShown({ ...state, visibility: { tag: 'visible' } }, now);
    case 'pageshow':
    case 'resume':
      return pageShown(state, now);
    case 'hidden':
      if (state.visibility.tag === 'hidden') return [state, []];
      return [{ ...state, visibility: { tag: 'hidden', since: now } }, []];
    case 'freeze': // an open socket and what it locks would keep the page out of the back-forward cache
    case 'pagehide':
      if (phase.tag === 'refused' || (phase.tag === 'backoff' && phase.serverDelay)) return [state, []];
      return goToSleep(state);
    case 'online':
      return networkChanged({ ...state, online: true }, now);
    case 'network-changed':
      return networkChanged(state, now);
    case 'offline':
      return probe({ ...state, online: false }, now);
    default:
      return assertNever(event);
  }
}

/** A socket that has been dead for hours still says that it is open, and an attempt to connect may be just as dead. */
function pageShown(state: TransportState, now: number): Transition {
  const { phase } = state;
  if (phase.tag === 'open') return probe(state, now);
  if (phase.tag !== 'connecting') return connectIfAllowed(state, now);
  if (now - phase.since > CONNECTION_HEARTBEAT_TIMEOUT_MS) return reconnect(withLastTransport(state), now);
  return [{ ...state, phase: { ...phase, userWaitsSince: phase.userWaitsSince ?? now } }, []];
}

/** An attempt that began on the network before may never end. */
function networkChanged(state: TransportState, now: number): Transition {
  const { phase } = state;
  if (phase.tag === 'open') return probe(state, now);
  return phase.tag === 'connecting' ? reconnect(withLastTransport(state), now) : connectIfAllowed(state, now);
}

/** Unless the server ordered a delay, or a hidden page has nothing to send. */
export function connectIfAllowed(state: TransportState, now: number): Transition {
  const { phase, visibility } = state;
  if (phase.tag === 'connecting' || phase.tag === 'refused') return [state, []];
  if (phase.tag === 'backoff' && phase.serverDelay) return [state, []];
  if (visibility.tag === 'hidden' && !state.hasUnsent) return [state, []];
  return startConnecting(withLastTransport(state), now);
}

/**
 * Goes back to the transport of the last connection: attempts that failed in a tunnel say nothing about transports. And
 * only a websocket always opens a new TCP connection. A request of long polling reuses one that the browser has kept,
 * which may be as dead as the socket was (S4).
 */
export function withLastTransport(state: TransportState): TransportState {
  return { ...state, pollingFirst: state.lastByPolling };
}
