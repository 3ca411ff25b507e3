/** Requests whose answer a person waits for: they need a connection, and report `offline` without one or without an answer. */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import type { AnsweredName, Request } from '../../shared/protocol/index.ts';
import { exactReasonOf, type Reason } from '../records/errorReason.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

export type AnswerOrReason<T = object> = Promise<({ ok: true } & T) | { ok: false; reason: Reason }>;

export async function askServer<Name extends AnsweredName>(
  connection: Pick<ConnectionRunner, 'ask'>,
  name: Name,
  payload: Request<Name>,
  withinMs = 2 * ACKNOWLEDGE_WITHIN_MS,
) {
  const answer = await connection.ask(name, payload, withinMs);
  if (!answer) return { ok: false, reason: { code: 'offline' } } as const;
  return answer.ok
    ? ({ ok: true, answer } as const)
    : ({ ok: false, reason: exactReasonOf(answer.error) } as const);
}
