/**
 * Parses the bodies of HTTP answers. Not in socket.ts, which parses frames: the service worker needs bodies and no
 * frames.
 */
import * as v from 'valibot';
import { CodeAnswer, DevicesAnswer, Refusal, Session, SessionAnswer } from '../../shared/protocol/index.ts';
import { type HttpResult, UNREACHABLE } from './httpCall.ts';

export const BODIES = {
  session: Session,
  signedIn: SessionAnswer,
  devices: DevicesAnswer,
  code: CodeAnswer,
  /** No body, or an object of our protocol whose fields do not matter. */
  nothing: v.optional(v.looseObject({})),
};

/**
 * A body that is not of our protocol (a proxy's page, a captive portal, a bare 404) counts as no answer: `unreachable`.
 */
export function readBody<T>(schema: v.GenericSchema<unknown, T>, ok: boolean, text: string): HttpResult<T> {
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
