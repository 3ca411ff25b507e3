/**
 * Performs one request of a client, whichever transport it came by: validates it against its schema, calls its handler,
 * and turns every outcome into an acknowledgement within 8 s. Shared by sockets and HTTP.
 */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import {
  type Acknowledgement,
  type Answer,
  type AnsweredName,
  type Request,
  requests,
  type User,
  type WireError,
} from '../../shared/protocol/index.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { parseOrRefuse } from '../base/parse.ts';
import { isUnexpected, RefusedError, refusal, toWireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import { BYTES_PER_UNIT, type Payer, type WorkMeter } from '../limits/workMeter.ts';

/** The handler of each request. It throws `RefusedError` or `Unavailable`. */
export type Handlers = {
  [Name in AnsweredName]: (
    user: User,
    payload: Request<Name>,
    transport: RequestSource['transport'],
    payer: Payer,
  ) => Promise<Omit<Answer<Name>, 'ok' | 'epoch'>>;
};

/** How a request came. */
export interface RequestSource {
  transport: 'websocket' | 'polling' | 'http';
  payer: Payer;
  /** By which the log names the request. */
  id: string;
}

/** Never rejects: every error becomes a refusal. */
export type Perform = <Name extends AnsweredName>(
  name: Name,
  user: User,
  payload: unknown,
  source: RequestSource,
) => Promise<Acknowledgement<Name>>;

interface Deps {
  handlers: Handlers;
  epoch: string;
  work: WorkMeter;
  metrics: Metrics;
  logger: Logger;
}

export function createPerform({ handlers, epoch, work, metrics, logger }: Deps): Perform {
  countFromNothing(metrics, Object.keys(handlers));
  return async (name, user, payload, { transport, payer, id }) => {
    try {
      work.admit(payer, name === 'append' ? 'faults' : 'reads');
      const parsed = parseOrRefuse(requests[name], payload, `\`${name}\``);
      const answer = await withTimeout(
        ACKNOWLEDGE_WITHIN_MS,
        handlers[name](user, parsed as Request<typeof name>, transport, payer),
      );
      work.charge(
        payer,
        'reads',
        callsOf(name, parsed as Request<typeof name>) + bytesOf(answer) / BYTES_PER_UNIT,
      );
      work.charge(payer, 'faults', faultsOf(answer));
      for (const code of refusedIn(answer)) metrics.refusals.inc({ event: name, code });
      return { ok: true, epoch, ...answer } as Answer<typeof name>;
    } catch (error) {
      if (error instanceof RefusedError && error.code !== 'rate-limited')
        work.charge(payer, 'faults', FAULT_UNITS);
      if (isUnexpected(error))
        logger.error({ err: error, id, request: name, user: user.id }, 'request failed');
      const wire = toWireError(error);
      metrics.refusals.inc({ event: name, code: wire.code });
      return refusal(wire);
    }
  };
}

/** The alerts ask whether these counters increase: one that appears with its first failure would not be seen to. */
export function countFromNothing({ refusals }: Pick<Metrics, 'refusals'>, events: readonly string[]): void {
  for (const event of events)
    for (const code of ['internal', 'unavailable']) refusals.inc({ event, code }, 0);
}

/**
 * The error codes of an answer, each once; none where all is well. An `append` is answered with `ok` also where items of it
 * were refused, or it was stopped.
 */
export function codesOf(answer: Acknowledgement<AnsweredName>): string[] {
  return answer.ok ? refusedIn(answer) : [answer.error.code];
}

/** What puts off one item alone is the limit of new rooms (ingest.ts): no fault of the server. */
function refusedIn(answer: object): string[] {
  const { results = [], stopped } = answer as { results?: { error?: WireError }[]; stopped?: WireError };
  const codes = results.flatMap(({ error }) => (error ? [error.code] : []));
  const ofItems = codes.map((code) => (code === 'unavailable' ? 'rate-limited' : code));
  return [...new Set([...(stopped ? [stopped.code] : []), ...ofItems])];
}

/** Calls of the store that a request costs, about. An append is counted by its items; a beat asks nothing. */
const CALLS: Record<AnsweredName, number> = {
  append: 0,
  range: 4,
  read: 2, // with what the other members are told of it
  readers: 4,
  'readers:show': 4,
  stored: 2, // and for each room
  reached: 5,
  presence: 4,
  'presence:show': 2,
  reactors: 3,
  day: 6,
  'room:choose': 3,
  'room:list': 3,
  person: 2,
  'room:get': 3,
  'room:join': 8,
  'room:leave': 7, // with who comes after the last owner, and the room's reports
  'room:roles': 4,
  'room:role': 7,
  'room:remove': 8,
  'room:unban': 6,
  'room:about': 6,
  'room:pin': 7,
  beat: 0,
};

function callsOf<Name extends AnsweredName>(name: Name, request: Request<Name>): number {
  if (name !== 'stored') return CALLS[name];
  const { rooms } = request as Request<'stored'>; // each is looked up, and may be written
  return CALLS.stored + 2 * Object.keys(rooms).length;
}

/** The check of a permission or of a key. */
const FAULT_UNITS = 2;

/** The long part of an answer, estimated: it is not encoded twice only to know its length. */
function bytesOf(answer: object): number {
  const {
    entries = [],
    amendments = [],
    rooms = [],
  } = answer as {
    entries?: { body?: string }[];
    amendments?: { body?: string }[];
    rooms?: unknown[];
  };
  let bytes = rooms.length * ROOM_BYTES;
  for (const list of [entries, amendments])
    for (const { body } of list) bytes += ENTRY_BYTES + (body?.length ?? 0);
  return bytes;
}

const ROOM_BYTES = 200;
const ENTRY_BYTES = 90;

/** Items that were refused: each was looked up in the log. */
function faultsOf(answer: object): number {
  const { results = [] } = answer as { results?: object[] };
  return results.reduce((sum, result) => sum + ('error' in result ? FAULT_UNITS : 0), 0);
}
