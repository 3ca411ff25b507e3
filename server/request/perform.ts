/**
 * Performs one request of a client, whichever transport it came by: validates it against its schema, calls its handler,
 * and turns every outcome into an acknowledgement within 8 s. Shared by sockets and HTTP.
 */
import * as v from 'valibot';
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import {
  type Acknowledgement,
  type Answer,
  type AnsweredName,
  type Request,
  requests,
  type User,
} from '../../shared/protocol/index.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { isUnexpected, RefusedError, refusal, toWireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';

/** The handler of each request. It throws `RefusedError` or `Unavailable`. */
export type Handlers = {
  [Name in AnsweredName]: (
    user: User,
    payload: Request<Name>,
    transport: RequestTransport,
  ) => Promise<Omit<Answer<Name>, 'ok' | 'epoch'>>;
};

/** By what the request came and its answer leaves. */
export type RequestTransport = 'websocket' | 'polling' | 'http';

/** Never rejects: every error becomes a refusal. */
export type Perform = <Name extends AnsweredName>(
  name: Name,
  user: User,
  payload: unknown,
  transport: RequestTransport,
) => Promise<Acknowledgement<Name>>;

interface Deps {
  handlers: Handlers;
  epoch: string;
  metrics: Metrics;
  logger: Logger;
}

export function createPerform({ handlers, epoch, metrics, logger }: Deps): Perform {
  return async (name, user, payload, transport) => {
    try {
      const parsed = v.safeParse(requests[name], payload);
      if (!parsed.success)
        throw new RefusedError('invalid', `This is not a valid \`${name}\`: ${v.summarize(parsed.issues)}`);
      const answer = await withTimeout(
        ACKNOWLEDGE_WITHIN_MS,
        handlers[name](user, parsed.output as Request<typeof name>, transport),
      );
      return { ok: true, epoch, ...answer } as Answer<typeof name>;
    } catch (error) {
      if (isUnexpected(error)) logger.error({ err: error, request: name, user: user.id }, 'request failed');
      const wire = toWireError(error);
      metrics.refusals.inc({ event: name, code: wire.code });
      return refusal(wire);
    }
  };
}
