/**
 * Reading what comes over the wire. With its schemas it is a chunk of its own: nothing comes before the first paint.
 */
import * as v from 'valibot';
import {
  type Acknowledgement,
  type AnsweredName,
  answers,
  type Down,
  type FrameName,
  frames,
  Refusal,
} from '../../shared/protocol/index.ts';

export const FRAMES = Object.keys(frames) as FrameName[];

/** Undefined, and said in the console, where this version cannot read it. */
export function readFrame(event: FrameName, payload: unknown): Down | undefined {
  const parsed = v.safeParse(frames[event] as v.GenericSchema, payload);
  if (parsed.success) return { event, payload: parsed.output } as Down;
  console.warn(`a frame \`${event}\` could not be read: ${v.summarize(parsed.issues)}`);
  return undefined;
}

export function readAnswer<Name extends AnsweredName>(name: Name, raw: unknown): Acknowledgement<Name> {
  const parsed = v.safeParse(v.union([answers[name], Refusal]) as v.GenericSchema, raw);
  if (parsed.success) return parsed.output as Acknowledgement<Name>;
  console.warn(`an answer to \`${name}\` could not be read: ${v.summarize(parsed.issues)}`);
  return { ok: false, error: { code: 'unreadable', message: 'The answer could not be read.' } };
}

/** What a `connect_error` says, if a server of ours says it. */
export function readRefused(data: unknown): { code: string; retryAfter?: number | undefined } | undefined {
  const refusal = v.safeParse(Refused, data);
  return refusal.success ? refusal.output : undefined;
}

const Refused = v.looseObject({ code: v.string(), retryAfter: v.optional(v.number()) });
