/**
 * Parses what a client sent. Parsing stops at the first fault, and the sentence about it is short and repeats nothing that
 * was sent: a refusal must not cost more than the request, or carry somebody's text into a log. The messages of valibot repeat
 * what was received, so none of them is used: a check has its own message, or gets the sentence of its type from `sentenceOf`.
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
  const parsed = v.safeParse(schema, value, CONFIG);
  return parsed.success
    ? { ok: true, value: parsed.output }
    : { ok: false, fault: faultOf(parsed.issues[0]) };
}

/** `message`: where a schema or a check has no message of its own. */
const CONFIG = { abortEarly: true, abortPipeEarly: true, message: sentenceOf } as const;

function faultOf(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'it has a field that does not belong there';
  const path = pathOf(issue);
  const place = path === '' ? 'it' : `\`${path}\``;
  return `${place} ${issue.input === undefined ? 'is missing' : issue.message}`;
}

/** What is wrong with it, behind its name. `expected` and `requirement` are of our schemas. */
function sentenceOf({ type, expected, requirement }: v.BaseIssue<unknown>): string {
  switch (type) {
    case 'object':
    case 'strict_object':
    case 'record':
      return 'must be an object';
    case 'array':
    case 'tuple':
      return 'must be a list';
    case 'string':
    case 'number':
      return `must be a ${type}`;
    case 'boolean':
      return 'must be true or false';
    case 'literal':
    case 'picklist':
      return `must be ${expected}`;
    case 'safe_integer':
      return 'must be a whole number';
    case 'min_value':
      return `must be at least ${requirement}`;
    case 'max_value':
      return `must be at most ${requirement}`;
    case 'min_length':
    case 'non_empty':
      return 'is too short';
    case 'max_length':
      return 'is too long';
    case 'union':
      return 'has none of the forms that it may have';
    default:
      return 'has a form that is not allowed';
  }
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
