/** What the connection can do next, whoever gave the reason: connect, doubt, wait. Pure. */
import { BEAT_TIMEOUT_MS, RETRY_AFTER_MAX_MS, SEND_BYTES_PER_SECOND, SILENCE_MS } from '../records/pageLimits.ts';
import { backoff, jittered } from './backoff.ts';
import type { Connection } from './phase.ts';

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

export type Stepped = [Connection, ConnectionEffect[]];

export function connect(connection: Connection, now: number): Stepped {
  const { pollingFirst } = connection;
  return [
    { ...connection, phase: { tag: 'connecting', since: now, lookedAt: undefined } },
    [{ type: 'connect', pollingFirst }],
  ];
}

export function reconnect(connection: Connection, now: number): Stepped {
  return also({ type: 'teardown' }, connect(connection, now));
}

/** Asks for a sign of life. One that is asked for already is waited for no longer than the shorter time. */
export function doubt(connection: Connection, now: number, patientUntil = 0): Stepped {
  const { phase } = connection;
  if (phase.tag !== 'open') return [connection, []];
  const soon = now + BEAT_TIMEOUT_MS + (connection.uploading / SEND_BYTES_PER_SECOND) * 1_000;
  const beatBy = Math.min(phase.beatBy ?? Number.POSITIVE_INFINITY, Math.max(soon, patientUntil));
  const isAsked = phase.beatBy !== undefined;
  return [{ ...connection, phase: { ...phase, beatBy } }, isAsked ? [] : [{ type: 'beat' }]];
}

export function fallAsleep(connection: Connection): Stepped {
  return [{ ...connection, phase: { tag: 'asleep' } }, [{ type: 'teardown' }]];
}

/** The attempt or the connection is over. One that had lasted counts as no failure. */
export function lost(connection: Connection, { now, random }: Surroundings): Stepped {
  const { phase } = connection;
  if (phase.tag !== 'connecting' && phase.tag !== 'open') return [connection, []];
  const lasted = phase.tag === 'open' && phase.welcomed && now - phase.since >= SILENCE_MS;
  const failures = lasted ? 0 : connection.failures + 1;
  return [waitFor({ ...connection, failures }, backoff(Math.max(0, failures - 1), random), false, now), []];
}

/** The server said how long. */
export function told(connection: Connection, ms: number, { now, random }: Surroundings): Stepped {
  const wait = jittered(Math.min(ms, RETRY_AFTER_MAX_MS), random);
  return [waitFor(connection, wait, true, now), [{ type: 'teardown' }]];
}

export function also(first: ConnectionEffect, [connection, effects]: Stepped): Stepped {
  return [connection, [first, ...effects]];
}

function waitFor(connection: Connection, ms: number, told: boolean, now: number): Connection {
  return { ...connection, phase: { tag: 'waiting', until: now + ms, told } };
}
