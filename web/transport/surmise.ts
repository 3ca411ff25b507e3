/**
 * What a browser says, and what may be read from it: somebody looks, the network is another one, the page is put away.
 * It often says nothing at all: a phone that left its Wi-Fi is only looked at (S4). Pure.
 */

import { assertNever } from '../../shared/never.ts';
import { BEAT_TIMEOUT_MS } from '../records/pageLimits.ts';
import type { BrowserEvent } from './browser.ts';
import { connect, doubt, fallAsleep, reconnect, type Stepped } from './moves.ts';
import type { Connection } from './phase.ts';

export function browserSaid(connection: Connection, event: BrowserEvent, now: number): Stepped {
  const { phase } = connection;
  switch (event) {
    case 'visible':
      return lookedAt({ ...connection, sight: { tag: 'visible' } }, now);
    case 'pageshow':
    case 'resume':
      return lookedAt(connection, now);
    case 'hidden':
      if (connection.sight.tag === 'hidden') return [connection, []];
      return [{ ...connection, sight: { tag: 'hidden', since: now } }, []];
    case 'freeze': // an open socket and what it holds would keep a page from being kept, and die meanwhile
    case 'pagehide':
      if (phase.tag === 'refused' || (phase.tag === 'waiting' && phase.told)) return [connection, []];
      return fallAsleep(connection);
    case 'online':
      return networkChanged({ ...connection, online: true }, now);
    case 'network-changed':
      return networkChanged(connection, now);
    case 'offline':
      return doubt({ ...connection, online: false }, now);
    default:
      return assertNever(event);
  }
}

/** Somebody looks at the app: a socket that was dead for hours still says it is open, and an attempt may be as dead. */
function lookedAt(connection: Connection, now: number): Stepped {
  const { phase } = connection;
  if (phase.tag === 'open') return doubt(connection, now);
  if (phase.tag !== 'connecting') return connectUnlessTold(connection, now);
  if (now - phase.since > BEAT_TIMEOUT_MS) return reconnect(asItWent(connection), now);
  return [{ ...connection, phase: { ...phase, lookedAt: phase.lookedAt ?? now } }, []];
}

/** What was begun on the network before may never end. */
function networkChanged(connection: Connection, now: number): Stepped {
  const { phase } = connection;
  if (phase.tag === 'open') return doubt(connection, now);
  return phase.tag === 'connecting'
    ? reconnect(asItWent(connection), now)
    : connectUnlessTold(connection, now);
}

function connectUnlessTold(connection: Connection, now: number): Stepped {
  const { phase, sight } = connection;
  if (phase.tag === 'connecting' || phase.tag === 'refused') return [connection, []];
  if (phase.tag === 'waiting' && phase.told) return [connection, []];
  if (sight.tag === 'hidden' && !connection.waiting) return [connection, []];
  return connect(asItWent(connection), now);
}

/**
 * By the transport that got through the last time. Attempts that came to nothing in a tunnel say nothing about it; and of
 * the two only a websocket always begins a connection of its own: a request of long polling is put into one that the
 * browser has kept, which says it is open and may be as dead as the socket was (S4).
 */
export function asItWent(connection: Connection): Connection {
  return { ...connection, pollingFirst: connection.polled };
}
