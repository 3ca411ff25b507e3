/** Bodies of the HTTP routes of reports: `/api/reports`. */
import * as v from 'valibot';
import { Millis, Offset } from '../entry.ts';
import { ClientOffset, Id, RoomId, UserId } from '../ids.ts';
import { User } from './down.ts';

/** A message of a room, or a person. `reason`: in the words of who reports. */
export const ReportRequest = v.union([
  v.object({ room: RoomId, message: Offset, reason: v.optional(v.string()) }),
  v.object({ person: UserId, reason: v.optional(v.string()) }),
]);
export type ReportRequest = v.InferOutput<typeof ReportRequest>;

/** What those see who decide about it. `room` and `message`: absent where a person is reported. */
export const Report = v.object({
  id: Id,
  by: User,
  about: User,
  createdAt: Millis,
  room: v.optional(RoomId),
  message: v.optional(Offset),
  reason: v.optional(v.string()),
});
export type Report = v.InferOutput<typeof Report>;

export const ReportsAnswer = v.object({ reports: v.array(Report) });
export type ReportsAnswer = v.InferOutput<typeof ReportsAnswer>;

/**
 * A message of a report, as it stood when that was made. Without `body` it was deleted, also since, or has no text. `firstBody`: of
 * the message that is reported, its first text, where it had been edited by then.
 */
export const ReportedMessage = v.object({
  serverOffset: Offset,
  clientOffset: ClientOffset,
  author: User,
  at: Millis,
  body: v.optional(v.string()),
  firstBody: v.optional(v.string()),
});
export type ReportedMessage = v.InferOutput<typeof ReportedMessage>;

/** `messages`: the one that is reported and those around it, ascending. `mayDelete`: whoever asks may delete it. */
export const ReportAnswer = v.object({
  report: Report,
  messages: v.array(ReportedMessage),
  mayDelete: v.boolean(),
});
export type ReportAnswer = v.InferOutput<typeof ReportAnswer>;
