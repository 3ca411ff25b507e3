/** A request, whichever way it came: parsed by its schema, done, and acknowledged in time. The same for sockets and HTTP. */
import * as v from 'valibot';
import { ACKNOWLEDGE_WITHIN_MS } from '../shared/limits.ts';
import {
  type Acknowledgement,
  type Answer,
  type AnsweredName,
  type Request,
  requests,
  type User,
} from '../shared/protocol/index.ts';
import type { Logger } from './base/logger.ts';
import type { Metrics } from './base/metrics.ts';
import { isUnexpected, RefusedError, refusal, toWireError } from './base/refusal.ts';
import { withTimeout } from './base/timeout.ts';

/** What each request does. A refusal is thrown. */
export type Handlers = {
  [Name in AnsweredName]: (
    user: User,
    payload: Request<Name>,
    way: Way,
  ) => Promise<Omit<Answer<Name>, 'ok' | 'epoch'>>;
};

/** Which way the request came, and its answer goes. */
export type Way = 'websocket' | 'polling' | 'http';

/** Never rejects: what goes wrong becomes a refusal. */
export type Perform = <Name extends AnsweredName>(
  name: Name,
  user: User,
  payload: unknown,
  way: Way,
) => Promise<Acknowledgement<Name>>;

interface Deps {
  handlers: Handlers;
  epoch: string;
  metrics: Metrics;
  logger: Logger;
}

export function createPerform({ handlers, epoch, metrics, logger }: Deps): Perform {
  return async (name, user, payload, way) => {
    try {
      const parsed = v.safeParse(requests[name], payload);
      if (!parsed.success)
        throw new RefusedError('invalid', `This is no \`${name}\`: ${v.summarize(parsed.issues)}`);
      const answer = await withTimeout(
        ACKNOWLEDGE_WITHIN_MS,
        handlers[name](user, parsed.output as Request<typeof name>, way),
      );
      return { ok: true, epoch, ...answer } as Answer<typeof name>;
    } catch (error) {
      if (isUnexpected(error)) logger.error({ err: error, request: name, user: user.id }, 'a request failed');
      const wire = toWireError(error);
      metrics.refusals.inc({ event: name, code: wire.code });
      return refusal(wire);
    }
  };
}
