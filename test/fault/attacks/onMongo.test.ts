/**
 * The attacks whose cost is in the database, on MongoDB. The database of the tests may be SecantusDB, a program in Python: it
 * answers a few hundred calls a second, and some twenty ranges, to attackers and innocents together. So the attacks have a
 * quarter of the rate that they have on SQLite, ranges over many amendments are missing (0.15 s each), and an innocent may
 * wait for 4 s, half of the time within which a request is answered. Everything else is as on SQLite: nobody is refused,
 * memory is bounded, nothing is missing.
 */
// @module-tag slow
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACKNOWLEDGE_WITHIN_MS } from '../../../shared/limits.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import type { AttackName } from './attacks.ts';
import { hurtBy } from './hold.ts';
import { BESIEGED_WITHIN_MS, besiege, type Siege } from './siege.ts';

const NAMES: readonly AttackName[] = [
  'handshakes with 500 unknown rooms by an account',
  'reconnects with a valid token',
  'reconnects with tokens that do not exist',
  'proofs of nothing: the oldest catch-up each time',
  'targets that do not exist',
  'items into rooms that do not exist',
  'ranges over HTTP',
  'lists of rooms',
  'read markers back and forth',
  'joins and leaves',
  '300 public rooms',
  'sessions with tokens that do not exist',
];

let mongo: MongoServer;
let siege: Siege;

beforeAll(async () => {
  mongo = await startMongo({ toBreak: true });
  siege = await besiege({ MONGODB_URL: mongo.url }, { rate: 1 / 4, leastBoundMs: ACKNOWLEDGE_WITHIN_MS / 2 });
}, BESIEGED_WITHIN_MS);

afterAll(async () => {
  await siege?.[Symbol.asyncDispose]();
  await mongo?.[Symbol.asyncDispose]();
});

test.each(NAMES)('an attack on the database hurts nobody: %s', { timeout: 60_000 }, async (name) => {
  expect(await hurtBy(siege, name)).toEqual([]);
});

test('L4 after all attacks the log on MongoDB has every acknowledged text', { timeout: 60_000 }, async () => {
  expect(await siege.missing()).toEqual([]);
});
