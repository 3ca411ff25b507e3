/**
 * Attacks on a server with a heap of 256 MB, on SQLite: it lives, its memory stays bounded, three innocents wait not much
 * longer than before, and everything that was acknowledged to them is in the log.
 */
// @module-tag slow
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountAttacks } from './accounts.ts';
import type { AttackName } from './attacks.ts';
import { connectionAttacks } from './connections.ts';
import { frameAttacks } from './frameFloods.ts';
import { handshakeAttacks } from './handshakes.ts';
import { hurtBy } from './hold.ts';
import { BESIEGED_WITHIN_MS, besiege, type Siege } from './siege.ts';
import { slowReaderAttacks } from './slowReaders.ts';
import { storeAttacks } from './storeCosts.ts';

let siege: Siege;

beforeAll(async () => {
  siege = await besiege();
}, BESIEGED_WITHIN_MS);

afterAll(() => siege?.[Symbol.asyncDispose]());

describe.each([
  ['before identity', handshakeAttacks],
  ['by connections', connectionAttacks],
  ['by clients that do not read', slowReaderAttacks],
  ['by frames', frameAttacks],
  ['on the store', storeAttacks],
  ['on accounts', accountAttacks],
])('an attack %s hurts nobody:', (_, family) => {
  test.each(Object.keys(family) as AttackName[])('%s', async (name) => {
    expect(await hurtBy(siege, name)).toEqual([]);
  });
});

test('L4 after all attacks the log has every acknowledged text where the acknowledgement said', async () => {
  expect(await siege.missing()).toEqual([]);
});
