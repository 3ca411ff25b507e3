/** The state of the connection, the status that it has for the rest of the app, and when its alarm rings next. Pure. */

import { assertNever } from '../../shared/never.ts';
import {
  CONNECT_WITHIN_MS,
  CONNECTION_HEARTBEAT_TIMEOUT_MS,
  HIDDEN_CLOSE_MS,
  SILENCE_MS,
} from '../records/pageLimits.ts';

export interface TransportState {
  phase: Phase;
  visibility: { tag: 'visible' } | { tag: 'hidden'; since: number };
  /** What the browser believes; it is often wrong. */
  online: boolean;
  /** The outbox has rows to send. */
  hasUnsent: boolean;
  /** Bytes of an append that are being uploaded: a heartbeat behind them takes longer. */
  uploading: number;
  /** Failed attempts in a row. */
  failures: number;
  /** Something else than Holdfast answers at this address, such as a login proxy. Asked for after attempts that failed. */
  stranger: boolean;
  /** Connections in a row that were given up while something was being received. */
  slowLosses: number;
  /**
   * Try long polling before a websocket. A blocked or silent websocket shows only as a timeout; then polling goes
   * first.
   */
  pollingFirst: boolean;
  /** The last connection was made by polling, and no websocket got through beside it. */
  lastByPolling: boolean;
}

export type Phase =
  /** The page is hidden and the outbox has nothing to send. */
  | { tag: 'asleep' }
  /** `serverDelay`: the server ordered the delay, and no event shortens it. */
  | { tag: 'backoff'; until: number; serverDelay: boolean }
  /**
   * `userWaitsSince`: the page has been visible since then, so the user is waiting for this attempt. It may have begun on
   * a network that is gone.
   */
  | { tag: 'connecting'; since: number; userWaitsSince: number | undefined }
  /** `heardAt`: the last byte arrived. `beatBy`: a heartbeat was sent and must be answered by then. */
  | { tag: 'open'; since: number; welcomed: boolean; heardAt: number; beatBy: number | undefined }
  | { tag: 'refused'; why: 'signed-out' | 'upgrade' };

export type ConnectionStatus =
  | 'live'
  | 'connecting'
  | 'offline'
  | 'stranger'
  | 'signed-out'
  | 'upgrade'
  /** The server has said so when it was reached last. It is asked again and again. */
  | 'suspended';

/** Connects at the first `clock` event, which is due at once. */
export function initialState(visible: boolean, online: boolean, now: number): TransportState {
  return {
    phase: { tag: 'backoff', until: now, serverDelay: false },
    visibility: visible ? { tag: 'visible' } : { tag: 'hidden', since: now },
    online,
    hasUnsent: false,
    uploading: 0,
    failures: 0,
    stranger: false,
    slowLosses: 0,
    pollingFirst: false,
    lastByPolling: false,
  };
}

/** When the next `clock` event has something to do; Infinity for never. */
export function nextAlarmAt(state: TransportState): number {
  const { phase, visibility } = state;
  const sleepAt =
    visibility.tag === 'hidden' && !state.hasUnsent
      ? visibility.since + HIDDEN_CLOSE_MS
      : Number.POSITIVE_INFINITY;
  switch (phase.tag) {
    case 'asleep':
    case 'refused':
      return Number.POSITIVE_INFINITY;
    case 'backoff':
      return phase.serverDelay ? phase.until : Math.min(phase.until, sleepAt); // asleep it would forget the server's delay
    case 'connecting':
      return Math.min(
        phase.since + CONNECT_WITHIN_MS,
        (phase.userWaitsSince ?? Number.POSITIVE_INFINITY) + CONNECTION_HEARTBEAT_TIMEOUT_MS,
        sleepAt,
      );
    case 'open': {
      // A welcome describes up to 500 rooms: over a slow network the same time limit would fail each time (O2).
      const welcomeBy = phase.since + CONNECT_WITHIN_MS * Math.min(state.failures + 1, 4);
      const silentAt = visibility.tag === 'visible' ? phase.heardAt + SILENCE_MS : Number.POSITIVE_INFINITY;
      return Math.min(phase.beatBy ?? (phase.welcomed ? silentAt : welcomeBy), sleepAt);
    }
    default:
      return assertNever(phase);
  }
}

export function statusOfConnection({ phase, online, failures, stranger }: TransportState): ConnectionStatus {
  if (phase.tag === 'refused') return phase.why;
  if (phase.tag === 'open' && phase.welcomed) return 'live';
  if (online && stranger) return 'stranger';
  return online && failures === 0 ? 'connecting' : 'offline';
}
