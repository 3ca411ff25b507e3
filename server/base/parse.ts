/**
 * Parses what a client sent. Parsing stops at the first fault, and the sentence about it is short and repeats nothing that
 * was sent: a refusal must not cost more than the request, or carry somebody's text into a log.
 */
import * as v from 'valibot';
import { RefusedError } from './refusal.ts';

/** `what` names it in the sentence, for example "handshake". Throws `invalid`. */
export function parseOrRefuse<const S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: string,
): v.InferOutput<S> {
  const outcome = parseUpToFault(schema, value);
  if (outcome.ok) return outcome.value;
  throw new RefusedError('invalid', `This is not a valid ${what}: ${outcome.fault}.`);
}

/** `fault`: where the first fault is and what was expected there. */
export function parseUpToFault<const S extends v.GenericSchema>(
  schema: S,
  value: unknown,
): { ok: true; value: v.InferOutput<S> } | { ok: false; fault: string } {
  const parsed = v.safeParse(schema, value, STOP_AT_FIRST);
  return parsed.success
    ? { ok: true, value: parsed.output }
    : { ok: false, fault: faultOf(parsed.issues[0]) };
}

const STOP_AT_FIRST = { abortEarly: true, abortPipeEarly: true } as const;

function faultOf(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'it has a field that does not belong there';
  const path = pathOf(issue);
  const place = path === '' ? 'it' : `\`${path}\``;
  if (issue.kind !== 'schema') return `${place} ${issue.message}`; // the messages of our own checks
  // valibot's own messages repeat what was received
  return issue.input === undefined ? `${place} is missing` : `${place} must be ${issue.expected}`;
}

/** The names of fields as far as they are ours: the keys of a record come from the client. At most four steps. */
function pathOf(issue: v.BaseIssue<unknown>): string {
  const path: { key: unknown }[] = issue.path ?? [];
  const steps = path.slice(0, MAX_STEPS).map(({ key }) => {
    if (typeof key === 'number') return String(key);
    return typeof key === 'string' && PLAIN_NAME.test(key) ? key : '…';
  });
  return steps.join('.');
}

const MAX_STEPS = 4;
/** A field of ours; an id has 22 characters. */
const PLAIN_NAME = /^[A-Za-z]{1,20}$/;
