/** The schemas cannot change without a decision about the protocol version. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import * as entry from '../../shared/entry.ts';
import * as ids from '../../shared/ids.ts';
import * as protocol from '../../shared/protocol/index.ts';
import { describeSchema } from '../support/describeSchema.ts';

const PINNED = { protocol: 1, hash: 'a0fd437c9b8b746c' };

describe('the protocol', () => {
  test('is pinned to its version by a hash of all its schemas', () => {
    const hash = createHash('sha256').update(allSchemas()).digest('hex').slice(0, 16);
    expect(
      { protocol: protocol.PROTOCOL, hash },
      'The schemas in shared/ have changed. If old clients still work with this server, and this client with old ' +
        'servers, write the new hash here. If not, also increment PROTOCOL in shared/protocol/version.ts.',
    ).toEqual(PINNED);
  });

  test('a changed schema changes the hash', () => {
    const loose = describeSchema(v.object({ a: v.string(), b: v.optional(v.number()) }));
    const changes = [
      v.object({ a: v.string() }),
      v.object({ a: v.string(), b: v.number() }),
      v.object({ a: v.pipe(v.string(), v.regex(/x/)), b: v.optional(v.number()) }),
      v.looseObject({ a: v.string(), b: v.optional(v.number()) }),
    ];
    expect(describeSchema(v.object({ b: v.optional(v.number()), a: v.string() }))).toEqual(loose);
    for (const changed of changes) expect(describeSchema(changed)).not.toEqual(loose);
  });

  test('every request but typing and here has an acknowledgement', () => {
    expect(Object.keys(protocol.answers).sort()).toEqual(
      Object.keys(protocol.requests)
        .filter((name) => name !== 'typing' && name !== 'here')
        .sort(),
    );
  });
});

/** All exported schemas and tables of schemas, by name. */
function allSchemas(): string {
  const exported = Object.entries({ ...protocol, ...entry, ...ids }).filter(
    ([, value]) => typeof value === 'object',
  );
  const byName = exported.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(byName.map(([name, value]) => [name, describeSchema(value)]));
}
