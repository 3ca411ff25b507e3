/** The first message of a day: from what this device holds, else from the server. */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { LOG_STORES, type UserDatabase } from '../db/userDatabase.ts';
import { findHeldDay } from '../log/read/heldDay.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { type AnswerOrReason, askServer } from './askServer.ts';

/** `from`, `to`: the time in milliseconds, `to` not included. Without a serverOffset nobody wrote then. */
export async function askDay(
  db: UserDatabase,
  connection: Pick<ConnectionRunner, 'ask'>,
  room: string,
  from: number,
  to: number,
): AnswerOrReason<{ serverOffset: number | undefined }> {
  const held = await db.read(['rooms', ...LOG_STORES], (tx) => findHeldDay(tx, room, from, to));
  if (held) return { ok: true, ...held };
  const asked = await askServer(connection, 'day', { room, from, to }, ACKNOWLEDGE_WITHIN_MS);
  return asked.ok ? { ok: true, serverOffset: asked.answer.serverOffset } : asked;
}
