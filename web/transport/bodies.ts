/**
 * Reading the bodies of HTTP. Apart from the frames (wire.ts): the service worker has these built in, and no frames.
 */
import * as v from 'valibot';
import { Refusal, Session, SessionAnswer } from '../../shared/protocol/index.ts';
import { type Called, UNREACHABLE } from './called.ts';

/** By name. */
export const BODIES = {
  session: Session,
  signedIn: SessionAnswer,
  /** No body, or one of ours that says nothing more. */
  nothing: v.optional(v.looseObject({})),
};

/** A proxy's page, a captive portal, a bare 404 say nothing about what was asked: as if nobody had answered. */
export function readBody<T>(schema: v.GenericSchema<unknown, T>, ok: boolean, text: string): Called<T> {
  const body = text === '' ? undefined : parseJson(text);
  if (ok) {
    const parsed = v.safeParse(schema, body);
    return parsed.success ? { ok: true, value: parsed.output } : UNREACHABLE;
  }
  const refusal = v.safeParse(Refusal, body);
  return refusal.success ? refusal.output : UNREACHABLE;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

const NOT_JSON = Symbol('not JSON');
