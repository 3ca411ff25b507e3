/** The transitions that several events of the connection share: connect, probe with a heartbeat, wait, sleep. Pure. */
import {
  CONNECTION_HEARTBEAT_TIMEOUT_MS,
  RETRY_AFTER_MAX_MS,
  SEND_BYTES_PER_SECOND,
  SILENCE_MS,
} from '../records/pageLimits.ts';
import { backoff, jittered } from './backoff.ts';
import type { TransportState } from './transportState.ts';

export type ConnectionEffect =
  | { type: 'connect'; pollingFirst: boolean }
  | { type: 'teardown' }
  | { type: 'beat' }
  /** Find out who answers at this address; then an event `identified` comes. */
  | { type: 'identify' };

/** What the reducer reads besides state and event: time, randomness, and whether bytes are arriving. */
export interface ReducerContext {
  now: number;
  random: () => number;
  /** The answer to a request or the rest of a catch-up is still being received. */
  receiving: boolean;
}

export type Transition = [TransportState, ConnectionEffect[]];

export function startConnecting(state: TransportState, now: number): Transition {
  return [
    { ...state, phase: { tag: 'connecting', since: now, userWaitsSince: undefined } },
    [{ type: 'connect', pollingFirst: state.pollingFirst }],
  ];
}

export function reconnect(state: TransportState, now: number): Transition {
  return withFirst({ type: 'teardown' }, startConnecting(state, now));
}

/**
 * Sends a heartbeat, if the connection is open. One that is on its way already must be answered by the earlier of both
 * times.
 */
export function probe(state: TransportState, now: number, patientUntil = 0): Transition {
  const { phase } = state;
  if (phase.tag !== 'open') return [state, []];
  const soon = now + CONNECTION_HEARTBEAT_TIMEOUT_MS + (state.uploading / SEND_BYTES_PER_SECOND) * 1_000;
  const beatBy = Math.min(phase.beatBy ?? Number.POSITIVE_INFINITY, Math.max(soon, patientUntil));
  const isSent = phase.beatBy !== undefined;
  return [{ ...state, phase: { ...phase, beatBy } }, isSent ? [] : [{ type: 'beat' }]];
}

export function goToSleep(state: TransportState): Transition {
  return [{ ...state, phase: { tag: 'asleep' } }, [{ type: 'teardown' }]];
}

/** The attempt or the connection is over. One that had lasted for SILENCE_MS counts as no failure. */
export function connectionLost(state: TransportState, { now, random }: ReducerContext): Transition {
  const { phase } = state;
  if (phase.tag !== 'connecting' && phase.tag !== 'open') return [state, []];
  const lasted = phase.tag === 'open' && phase.welcomed && now - phase.since >= SILENCE_MS;
  const failures = lasted ? 0 : state.failures + 1;
  const delay = backoff(Math.max(0, failures - 1), random);
  return [{ ...state, failures, phase: { tag: 'backoff', until: now + delay, serverDelay: false } }, []];
}

/** The server ordered a delay of `ms`. */
export function applyServerDelay(
  state: TransportState,
  ms: number,
  { now, random }: ReducerContext,
): Transition {
  const delay = jittered(Math.min(ms, RETRY_AFTER_MAX_MS), random);
  return [
    { ...state, phase: { tag: 'backoff', until: now + delay, serverDelay: true } },
    [{ type: 'teardown' }],
  ];
}

/** The same transition, with this effect before its own. */
export function withFirst(first: ConnectionEffect, [state, effects]: Transition): Transition {
  return [state, [first, ...effects]];
}
