/** What is known of the connection, what it looks like from outside, and when it has something to do next. Pure. */

import { assertNever } from '../../shared/never.ts';
import { BEAT_TIMEOUT_MS, CONNECT_WITHIN_MS, HIDDEN_CLOSE_MS, SILENCE_MS } from '../records/pageLimits.ts';

export interface Connection {
  phase: Phase;
  sight: { tag: 'visible' } | { tag: 'hidden'; since: number };
  /** What the browser believes; it is often wrong. */
  online: boolean;
  /** Something waits to be sent. */
  waiting: boolean;
  /** Bytes of an append on their way: a beat behind them needs longer. */
  uploading: number;
  /** Attempts in a row that came to nothing. */
  failures: number;
  /** Times in a row that a connection was given up while something came down. */
  overtaxed: number;
  /** A websocket that is blocked without a word, or mute, only shows as a timeout; then polling goes first. */
  pollingFirst: boolean;
  /** It was by polling that the last connection was made, and no websocket got through beside it. */
  polled: boolean;
}

export type Phase =
  /** Nobody looks and nothing waits. */
  | { tag: 'asleep' }
  /** `told`: the server said how long, and nothing but time ends it. */
  | { tag: 'waiting'; until: number; told: boolean }
  /** `lookedAt`: since then somebody waits for it, and it may have begun on a network that is gone. */
  | { tag: 'connecting'; since: number; lookedAt: number | undefined }
  | { tag: 'open'; since: number; welcomed: boolean; heardAt: number; beatBy: number | undefined }
  | { tag: 'refused'; why: 'signed-out' | 'upgrade' };

export type Status = 'live' | 'connecting' | 'offline' | 'signed-out' | 'upgrade';

/** Before anything happened; the first `clock` connects. */
export function begin(visible: boolean, online: boolean, now: number): Connection {
  return {
    phase: { tag: 'waiting', until: now, told: false },
    sight: visible ? { tag: 'visible' } : { tag: 'hidden', since: now },
    online,
    waiting: false,
    uploading: 0,
    failures: 0,
    overtaxed: 0,
    pollingFirst: false,
    polled: false,
  };
}

/** The next moment at which `clock` has something to do. */
export function wakeAt(connection: Connection): number {
  const { phase, sight } = connection;
  const sleep =
    sight.tag === 'hidden' && !connection.waiting ? sight.since + HIDDEN_CLOSE_MS : Number.POSITIVE_INFINITY;
  switch (phase.tag) {
    case 'asleep':
    case 'refused':
      return Number.POSITIVE_INFINITY;
    case 'waiting':
      return phase.told ? phase.until : Math.min(phase.until, sleep); // asleep it would not know how long
    case 'connecting':
      return Math.min(
        phase.since + CONNECT_WITHIN_MS,
        (phase.lookedAt ?? Number.POSITIVE_INFINITY) + BEAT_TIMEOUT_MS,
        sleep,
      );
    case 'open': {
      // a welcome tells of 500 rooms: over a slow network the same time again would never do (O2)
      const welcomeBy = phase.since + CONNECT_WITHIN_MS * Math.min(connection.failures + 1, 4);
      const silence = sight.tag === 'visible' ? phase.heardAt + SILENCE_MS : Number.POSITIVE_INFINITY;
      return Math.min(phase.beatBy ?? (phase.welcomed ? silence : welcomeBy), sleep);
    }
    default:
      return assertNever(phase);
  }
}

export function statusOf({ phase, online, failures }: Connection): Status {
  if (phase.tag === 'refused') return phase.why;
  if (phase.tag === 'open' && phase.welcomed) return 'live';
  return online && failures === 0 ? 'connecting' : 'offline';
}
