/** The present docs/PROTOCOL.md has no problem; with one error put in, the check reports that error. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as serverLimits from '../../server/base/serverLimits.ts';
import * as sharedLimits from '../../shared/limits.ts';
import * as pageLimits from '../../web/records/pageLimits.ts';
import { ROOT } from '../support/tools.ts';
import { problemsOfProtocol } from './protocol.ts';
import { type ProtocolFacts, readProtocolFacts } from './protocolFacts.ts';

const document = await readFile(join(ROOT, 'docs/PROTOCOL.md'), 'utf8');
const facts = readProtocolFacts();

/** Each case replaces the first match of `from`; the check must report a problem that contains `problem`. */
const broken: [what: string, from: string | RegExp, to: string, problem: string][] = [
  ['a request left out', /^\| `read` \| `\{ room, upTo \}`.*\n/m, '', 'request `read`: payload'],
  ['a request that is not there', '| `beat` | – |', '| `boat` | `{ now }` | – | |\n| `beat` | – |', '`boat`'],
  ['a field left out of a request', '`{ room, from, to }`', '`{ room, from }`', 'range`: payload: to'],
  [
    'an extra field in a request',
    '`{ room, from, to }`',
    '`{ room, from, to, by }`',
    'by, which is not in the code',
  ],
  ['an optional field described as required', '`{ after?, query? }`', '`{ after, query? }`', 'after'],
  ['a field left out of an answer', '`{ results, stopped? }`', '`{ results }`', 'stopped?'],
  [
    'an answer where there is none',
    '| `beat` | – | `{ now }`',
    '| `beat` | `{ at }` | `{ now }`',
    'at, which is not in the code',
  ],
  ['a frame left out', /^\| `user` \| `\{ user \}`.*\n/m, '', 'frame `user`: payload'],
  ['a frame that is not there', '| `bye` |', '| `presence` | `{ user }` | |\n| `bye` |', '`presence`'],
  [
    'a form of a frame left out',
    '`{ room }` `{ removed, reason? }` `{ failed }`',
    '`{ room }` `{ removed, reason? }`',
    '{ failed }',
  ],
  ['a field left out of an object', /^\| `usersUpTo\?`.*\n/m, '', 'welcome`: payload: usersUpTo?'],
  ['a field of an object renamed', '| `readUpTo` |', '| `readTo` |', 'readUpTo'],
  ['a field within a field left out', '`device: { id }`', '`device`', 'device.id'],
  ['an object left out', /^\| `ItemTarget` \| .*\n/m, '', 'object `ItemTarget`'],
  ['an object that is not there', '| `Users` |', '| `Crowd` | `{ id }` | |\n| `Users` |', '`Crowd`'],
  ['an object named that no table describes', '| `welcome` | `Welcome`', '| `welcome` | `Hello`', '`Hello`'],
  ['a field of the handshake left out', /^\| `proofs\?`.*\n/m, '', 'object `Handshake`: proofs?'],
  ['a field of an entry left out', /^\| `unreadable\?`.*\n/m, '', 'object `Entry`: unreadable?'],
  ['an item left out', /^\| `delete` \| `\{ room, .*\n/m, '', 'item `delete`'],
  [
    'an item that is not there',
    '| `edit` | `{ room,',
    '| `shout` | `{ room }` | |\n| `edit` | `{ room,',
    '`shout`',
  ],
  [
    'an entry with an extra field',
    '| `edit` | `{ target, body? }`',
    '| `edit` | `{ target, body?, by }`',
    'by, which is not in the code',
  ],
  ['a kind left out', /^\| `leave` \| server.*\n/m, '', 'kind `leave`'],
  ['a kind that is not there', '| `join` | server', '| `jump` | server | no |\n| `join` | server', '`jump`'],
  [
    'the effect of a kind wrong',
    '| `edit` | member | no | own | replace |',
    '| `edit` | member | no | own | remove |',
    'replace',
  ],
  ['a kind that is no message', '| `text` | member | yes |', '| `text` | member | no |', 'message: yes'],
  ['a code left out', /^\| `conflict` \| 409.*\n/m, '', 'code `conflict`'],
  [
    'a code that is not there',
    '| `internal` | 500',
    '| `teapot` | 418 | permanent | |\n| `internal` | 500',
    '`teapot`',
  ],
  ['the status of a code wrong', '| `conflict` | 409', '| `conflict` | 410', 'status: 409'],
  ['the class of a code wrong', '| 429 | transient', '| 429 | permanent', 'class: transient'],
  ['a route left out', /^\| `PUT \/api\/name`.*\n/m, '', 'route `PUT /api/name`'],
  [
    'a route that is not there',
    '| `PUT /api/name`',
    '| `GET /api/x` | – | – | |\n| `PUT /api/name`',
    '`GET /api/x`',
  ],
  ['a field left out of a body', '`{ password, current? }`', '`{ password }`', 'current?'],
  ['the value of a limit wrong', '100 items (`APPEND_MAX_ITEMS`)', '99 items (`APPEND_MAX_ITEMS`)', '99'],
  [
    'the unit of a limit wrong',
    '64 KiB as JSON (`APPEND_MAX_BYTES`)',
    '64 bytes (`APPEND_MAX_BYTES`)',
    '65536',
  ],
  ['a time wrong', 'within 24 h (`CLAIM_LIFETIME_MS`)', 'within 24 min (`CLAIM_LIFETIME_MS`)', '86400000'],
  ['the value of a limit in a table wrong', '| `ITEMS_BURST` | 500 |', '| `ITEMS_BURST` | 50 |', '500'],
  ['a limit left out', '100 items (`APPEND_MAX_ITEMS`)', '100 items', 'limit `APPEND_MAX_ITEMS`'],
  [
    'a limit that is not there',
    '100 items (`APPEND_MAX_ITEMS`)',
    '100 items (`APPEND_MAX_ITEMS`), 7 (`BOATS_MAX`)',
    '`BOATS_MAX`',
  ],
  [
    'a limit without its value',
    'ends the connection.',
    'ends the connection, `FRAME_MAX_BYTES`.',
    'no value beside it',
  ],
  ['the feature left out', /^\| `entries2` \| .*\n/m, '', 'feature `entries2`'],
  ['a feature that is not there', '| `entries2` |', '| `quotes` | | |\n| `entries2` |', 'feature `quotes`'],
  ['another protocol', '# Holdfast protocol 1', '# Holdfast protocol 2', 'protocol'],
];

describe('docs/PROTOCOL.md', () => {
  test('the present document has no problem', () => {
    expect(problemsOfProtocol(document, facts)).toEqual([]);
  });

  test.each(broken)('catch: %s', (_, from, to, problem) => {
    const changed = document.replace(from, () => to);
    expect(changed).not.toBe(document);
    expect(problemsOfProtocol(changed, facts)).toContainEqual(expect.stringContaining(problem));
  });

  test('catch: an event and a field that only the code has', () => {
    const grown: ProtocolFacts = {
      ...facts,
      required: new Map([
        ...facts.required,
        ['frame `weather`: payload', new Set(['user'])],
        ['frame `bye`: payload', new Set(['retryAfter', 'why?'])],
      ]),
    };
    expect(problemsOfProtocol(document, grown)).toEqual([
      'docs/PROTOCOL.md does not describe frame `weather`: payload',
      'docs/PROTOCOL.md lacks frame `bye`: payload: why?',
    ]);
  });
});

test('every limit in shared/limits.ts must stand in the document; those of the server and of the page may', () => {
  const limits = (facts: ProtocolFacts['required']) =>
    [...facts.keys()].flatMap((key) => /^limit `(.+)`$/.exec(key)?.[1] ?? []);
  expect(limits(facts.required)).toEqual(Object.keys(sharedLimits));
  const numbers = Object.entries({ ...serverLimits, ...pageLimits }).filter(
    ([, limit]) => typeof limit === 'number', // others are rates
  );
  expect(limits(facts.allowed)).toEqual(numbers.map(([name]) => name));
});
