/** What owners and moderators of a room do: needs a connection, and reports `offline` without one. */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import type { AnsweredName, Request, RoomRole } from '../../shared/protocol/index.ts';
import { exactReasonOf, type Reason } from '../records/errorReason.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

type Answered<T = object> = Promise<({ ok: true } & T) | { ok: false; reason: Reason }>;

export interface ModerationRequests {
  roles(room: string): Answered<{ roles: Readonly<Record<string, RoomRole>>; own: RoomRole }>;
  setRole(room: string, user: string, role: RoomRole, handsOn?: boolean): Answered;
}

interface Deps {
  connection: Pick<ConnectionRunner, 'ask'>;
  newKey: () => string;
}

export function createModerationRequests({ connection, newKey }: Deps): ModerationRequests {
  /** The key of each request without an answer: the same request uses it again, so that it is one entry. */
  const unanswered = new Map<string, string>();

  async function ask<Name extends AnsweredName>(name: Name, payload: Request<Name>) {
    const answer = await connection.ask(name, payload, 2 * ACKNOWLEDGE_WITHIN_MS);
    if (!answer) return { ok: false, reason: { code: 'offline' } } as const;
    return answer.ok
      ? ({ ok: true, answer } as const)
      : ({ ok: false, reason: exactReasonOf(answer.error) } as const);
  }

  async function change<Name extends 'room:role'>(
    name: Name,
    payload: Omit<Request<Name>, 'clientOffset'>,
  ): Answered {
    const what = JSON.stringify([name, payload]);
    const clientOffset = unanswered.get(what) ?? newKey();
    unanswered.set(what, clientOffset);
    const asked = await ask(name, { ...payload, clientOffset } as Request<Name>);
    if (asked.ok || asked.reason.code !== 'offline') unanswered.delete(what);
    return asked.ok ? { ok: true } : asked;
  }

  return {
    async roles(room) {
      const asked = await ask('room:roles', { room });
      return asked.ok ? { ok: true, roles: asked.answer.roles, own: asked.answer.own } : asked;
    },
    setRole: (room, user, role, handsOn) =>
      change('room:role', { room, user, role, ...(handsOn && { handsOn }) }),
  };
}
