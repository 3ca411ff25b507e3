/**
 * The facts that docs/PROTOCOL.md must have, read from the code: schemas, table of kinds, error codes, limits, routes. A fact
 * is a key such as "frame `room`: payload" with a set of words; the words of an object are its fields.
 */
import * as serverLimits from '../../server/base/serverLimits.ts';
import { createApi } from '../../server/http/api.ts';
import * as entry from '../../shared/entry.ts';
import { featuresOf, type KindRule, kinds } from '../../shared/kinds.ts';
import * as limits from '../../shared/limits.ts';
import * as protocol from '../../shared/protocol/index.ts';
import * as pageLimits from '../../web/records/pageLimits.ts';

export type Words = ReadonlySet<string>;
export type Facts = ReadonlyMap<string, Words>;

export interface ProtocolFacts {
  /** The document must have all of these. */
  required: Facts;
  /** The document may have these, too, and then they must be correct. */
  allowed: Facts;
}

export function readProtocolFacts(): ProtocolFacts {
  const rows = [...eventRows(), ...entryRows(), ...routeRows()];
  const inRows = new Set(rows.map(({ schema }) => schema));
  const objects = namedObjects();
  const required = [
    ...rows.map(({ key, words }) => [key, words] as const),
    ...objects.filter(([, schema]) => !inRows.has(schema)).map(objectFact),
    ...kindFacts(),
    ...errorFacts(),
    ...[protocol.REQUIRED_FEATURE, ...featuresOf(kinds())].map(
      (name) => [`feature \`${name}\``, NONE] as const,
    ),
    ...Object.entries(limits).map(limitFact),
    ['protocol', new Set([String(protocol.PROTOCOL)])] as const,
  ];
  return {
    required: new Map(required),
    allowed: new Map([
      ...objects.map(objectFact),
      ...Object.entries({ ...serverLimits, ...pageLimits })
        .filter((limit): limit is [string, number] => typeof limit[1] === 'number') // others are rates
        .map(limitFact),
    ]),
  };
}

/** The columns of a table of kinds that are compared. */
export const KIND_COLUMNS = Object.keys({
  by: true,
  message: true,
  target: true,
  effect: true,
  membership: true,
  sets: true,
  notice: true,
  role: true,
  feature: true,
} satisfies Record<keyof KindRule, true>);

/** A set of words as one word, for a payload that may have several forms. */
export function asOneWord(words: Words): string {
  return `{ ${[...words].sort().join(', ')} }`;
}

const NONE: Words = new Set();

interface Row {
  key: string;
  words: Words;
  schema: unknown;
}

function eventRows(): Row[] {
  const requests = Object.entries(protocol.requests).map(([name, schema]) =>
    rowOf(`request \`${name}\`: payload`, schema),
  );
  const answers = Object.keys(protocol.requests).map((name) =>
    rowOf(`request \`${name}\`: answer`, (protocol.answers as Record<string, unknown>)[name], ANSWERED),
  );
  const frames = Object.entries(protocol.frames).map(([name, schema]) =>
    rowOf(`frame \`${name}\`: payload`, schema),
  );
  const items = [...protocol.itemSchemas()].map(([name, schema]) =>
    rowOf(`item \`${name}\`: fields`, schema),
  );
  return [...requests, ...answers, ...frames, ...items];
}

/** The fields of every answer: the document describes them once. */
const ANSWERED: Words = new Set(['ok', 'epoch']);

/** The fields of each kind of entry, without the fields of every entry. */
function entryRows(): Row[] {
  const { TextEntry: text, EditEntry: edit, DeleteEntry: del, OtherEntry: other } = entry;
  const envelope = wordsOf(other);
  return Object.entries({ text, edit, delete: del }).map(([name, schema]) =>
    rowOf(`entry \`${name}\`: fields`, schema, envelope),
  );
}

/** The bodies of the routes in server/http/api.ts; a route that is not listed here has none. */
const BODIES: Record<string, { body?: unknown; answer?: unknown }> = {
  'POST /api/session': { body: protocol.SessionRequest, answer: protocol.SessionAnswer },
  'GET /api/session': { answer: protocol.Session },
  'POST /api/session/pass': { body: protocol.PassRequest, answer: protocol.SessionAnswer },
  'POST /api/code': { answer: protocol.CodeAnswer },
  'POST /api/recovery-code': { answer: protocol.RecoveryCodeAnswer },
  'POST /api/come-back': { body: protocol.ComeBackAsk, answer: protocol.ComeBackAsked },
  'POST /api/come-back/state': { body: protocol.ComeBackLook, answer: protocol.ComeBackState },
  'GET /api/come-back': { answer: protocol.WaitingRequests },
  'PUT /api/come-back/:id': { body: protocol.ComeBackDecision },
  'GET /api/people': { answer: protocol.PeopleAnswer },
  'GET /api/people/:id/devices': { answer: protocol.DevicesAnswer },
  'PUT /api/people/:id': { body: protocol.PersonChange },
  'GET /api/server': { answer: protocol.ServerState },
  'POST /api/invitations': { body: protocol.InvitationRequest, answer: protocol.InvitationAnswer },
  'GET /api/invitations': { answer: protocol.InvitationsAnswer },
  'POST /api/invitations/look': { body: protocol.InvitationLook, answer: protocol.Invited },
  'POST /api/reports': { body: protocol.ReportRequest },
  'GET /api/reports': { answer: protocol.ReportsAnswer },
  'GET /api/reports/:id': { answer: protocol.ReportAnswer },
  'GET /api/devices': { answer: protocol.DevicesAnswer },
  'PUT /api/name': { body: protocol.NameRequest, answer: protocol.NameAnswer },
  'PUT /api/password': { body: protocol.PasswordRequest },
  'POST /api/append': { body: protocol.Append, answer: protocol.Appended },
  'GET /api/rooms/:room/entries': { answer: protocol.Ranged },
};

function routeRows(): Row[] {
  const api = createApi({} as Parameters<typeof createApi>[0]); // no handler is called
  const routes = api.stack.flatMap(({ methods, path }) =>
    methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${path}`),
  );
  return routes.flatMap((route) => [
    rowOf(`route \`${route}\`: body`, BODIES[route]?.body),
    rowOf(`route \`${route}\`: answer`, BODIES[route]?.answer, ANSWERED),
  ]);
}

function rowOf(key: string, schema: unknown, without: Words = NONE): Row {
  return { key, schema, words: new Set([...wordsOf(schema)].filter((word) => !without.has(word))) };
}

function kindFacts() {
  return [...kinds()].map(([kind, rule]) => {
    const words = Object.entries(rule).map(([column, value]) => `${column}: ${inWords(value)}`);
    return [`kind \`${kind}\``, new Set(words)] as const;
  });
}

function inWords(value: string | boolean): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : value;
}

function errorFacts() {
  return Object.entries(protocol.ERROR_STATUS).map(([code, status]) => {
    const words = new Set([`status: ${status}`, `class: ${protocol.classOf(code)}`]);
    return [`code \`${code}\``, words] as const;
  });
}

function limitFact([name, value]: readonly [string, number]) {
  return [`limit \`${name}\``, new Set([String(value)])] as const;
}

function objectFact([name, schema]: readonly [string, unknown]) {
  return [`object \`${name}\``, wordsOf(schema)] as const;
}

/** The exported schemas that are objects. */
function namedObjects(): [string, unknown][] {
  const named = Object.entries<unknown>({ ...protocol, Entry: entry.OtherEntry });
  return named.filter(([, value]) => isSchema(value) && wordsOf(value).size > 0);
}

/** The parts of a valibot schema that this file reads. */
interface Schema {
  kind: 'schema';
  type: string;
  entries?: Record<string, Schema>;
  options?: Schema[];
  pipe?: { kind: string }[];
  wrapped?: Schema;
  item?: Schema;
  value?: Schema;
}

/**
 * For an object: its fields, as `field?` if optional, and `outer.inner` for the fields of an unnamed object inside. For a
 * record: `[id]`, and the fields of its values. For a union of objects: each of them as one word. Otherwise nothing.
 */
function wordsOf(schema: unknown): Words {
  const at = isSchema(schema) ? plain(schema) : undefined;
  if (at?.entries)
    return new Set(Object.entries(at.entries).flatMap(([name, field]) => fieldWords(name, field)));
  if (at?.type === 'record') return new Set(['[id]', ...within('[id]', wordsOf(at.value))]);
  const forms = (at?.options ?? []).map(wordsOf).filter(({ size }) => size > 0);
  return forms.length > 1 ? new Set(forms.map(asOneWord)) : (forms[0] ?? NONE);
}

function fieldWords(name: string, field: Schema): string[] {
  const word = field.type === 'optional' ? `${name}?` : name;
  const isRecord = plain(field).type === 'record';
  return [word, ...(isRecord || hasName(field) ? [] : within(name, wordsOf(field)))];
}

function within(outer: string, words: Words): string[] {
  return [...words].map((word) => `${outer}.${word}`);
}

/** The schema without `optional`, `array` and pipes around it. */
function plain(schema: Schema): Schema {
  const piped = schema.pipe?.filter(isSchema).at(-1);
  const inner = schema.wrapped ?? schema.item ?? (piped?.type === schema.type ? undefined : piped);
  return inner ? plain(inner) : schema;
}

/** True for an exported schema, and for a list of it. */
function hasName(field: Schema): boolean {
  const inner = field.wrapped ?? field.item;
  return EXPORTED.has(field) || (inner !== undefined && hasName(inner));
}

const EXPORTED: ReadonlySet<unknown> = new Set(Object.values<unknown>({ ...protocol, ...entry }));

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema';
}
