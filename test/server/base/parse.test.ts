import type * as v from 'valibot';
import { expect, test } from 'vitest';
import { parseUpToFault } from '../../../server/base/parse.ts';
import * as protocol from '../../../shared/protocol/index.ts';

const { requests, itemSchemas } = protocol;

/** Those of what a client sends: requests, items, and the bodies of HTTP. */
const SCHEMAS: [string, v.GenericSchema][] = [
  ...Object.entries(requests),
  ...itemSchemas(),
  ...Object.entries<unknown>(protocol).flatMap(([name, schema]): [string, v.GenericSchema][] =>
    isSchema(schema) ? [[name, schema]] : [],
  ),
];

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'schema';
}

/** The schema and all within it, without bare records: their keys are checked before. */
function within(schema: unknown, found = new Set<v.GenericSchema>()): Set<v.GenericSchema> {
  if (Array.isArray(schema)) for (const one of schema) within(one, found);
  if (!isSchema(schema) || found.has(schema)) return found;
  if (schema.type !== 'record') found.add(schema);
  for (const [name, part] of Object.entries(schema)) {
    if (['wrapped', 'item', 'items', 'options', 'key', 'value', 'pipe', 'rest'].includes(name))
      within(part, found);
    if (name === 'entries') within(Object.values(part as object), found);
  }
  return found;
}

const SENT = 'sentByClient';
const NUMBERS = [-987_654, 1.123_456, 2 ** 53, 1e300, Number.NaN, -0];
const ODD: unknown[] = [
  ...NUMBERS,
  null,
  true,
  '',
  SENT,
  SENT.repeat(1_000),
  [],
  [SENT],
  [1.123_456, -987_654],
  {},
  { [SENT]: SENT },
  { [SENT]: [-987_654, 1.123_456] },
  { lobby: [1.123_456, -987_654] },
  JSON.parse('{"__proto__":[1,1]}'),
  Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`${SENT}${n}`, n])),
];

/** What the messages of valibot have, and what was sent. */
const FOREIGN =
  /invalid|received|expected|unknown|undefined|never|sentByClient|987654|123456|900719|1e\+300|NaN|__proto__/i;

test('a fault is told in a short sentence of ours, which repeats nothing that was sent', () => {
  const faults = new Set<string>();
  for (const [name, whole] of SCHEMAS)
    for (const schema of within(whole))
      for (const value of ODD) {
        const parsed = parseUpToFault(schema, value);
        if (parsed.ok) continue;
        faults.add(parsed.fault);
        expect(parsed.fault, name).not.toMatch(FOREIGN);
        expect(parsed.fault.length, name).toBeLessThan(120);
      }
  expect(faults.size).toBeGreaterThan(20);
});

test.each<[name: keyof typeof requests, payload: unknown, fault: string]>([
  ['day', { room: 'lobby', from: 1.5, to: 2 }, '`from` must be a whole number'],
  ['day', { room: 'lobby', from: -1, to: 2 }, '`from` must be at least 0'],
  ['day', { room: 'lobby', to: 2 }, '`from` is missing'],
  ['reached', { room: 'lobby', message: 0 }, '`message` must be at least 1'],
  ['stored', { rooms: { lobby: [0, 1] } }, '`rooms.lobby.0` must be at least 1'],
  ['stored', { rooms: { lobby: [1] } }, '`rooms.lobby.1` is missing'],
  ['stored', { rooms: { lobby: [2, 1] } }, '`rooms.lobby` ends before it begins'],
  ['stored', { rooms: 'lobby' }, '`rooms` must be an object'],
  ['readers:show', { show: 'yes' }, '`show` must be true or false'],
  ['person', { id: 5 }, 'it has none of the forms that it may have'],
  ['room:role', { room: 'lobby' }, '`clientOffset` is missing'],
  ['range', null, 'it must be an object'],
])('%s %j: %s', (name, payload, fault) => {
  expect(parseUpToFault(requests[name], payload)).toEqual({ ok: false, fault });
});
