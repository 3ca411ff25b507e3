/** Where a tail stands, and how that is told to whoever wants to go on from there. */
import type { ResumePoint } from '../port.ts';

export type Place<Time = unknown> =
  /** After the change that has this token. */
  | { tag: 'token'; token: string }
  | { tag: 'time'; time: Time }
  /** What is committed when the stream is opened. */
  | { tag: 'present' };

/** The point after `token` in the database of this epoch. */
export function pointOf(epoch: string, token: string): ResumePoint {
  return `${epoch}:${token}`;
}

/** Of another database, or not of this form: none. The server itself judges the token. */
export function tokenOf(point: ResumePoint, epoch: string): string | undefined {
  const [of, token, ...rest] = point.split(':');
  return of === epoch && token !== undefined && /^[0-9a-fA-F]+$/.test(token) && rest.length === 0
    ? token
    : undefined;
}
