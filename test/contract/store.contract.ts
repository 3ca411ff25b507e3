/**
 * What every adapter behind server/store/port.ts must do: the same cases against each.
 * An adapter's own test calls `storeContract` with a way to make a database of nothing.
 */
import { describe } from 'vitest';
import { amendmentCases } from './amendments.ts';
import { appendCases } from './append.ts';
import { historyCases } from './histories.ts';
import { rangeCases } from './range.ts';
import { repeatCases } from './repeats.ts';
import { roomCases } from './rooms.ts';
import type { Harness } from './support.ts';
import { tailCases } from './tail.ts';
import { userCases } from './users.ts';

export function storeContract(name: string, open: () => Promise<Harness>): void {
  describe(`the store contract, on ${name}`, () => {
    describe('append', () => appendCases(open));
    describe('repeats', () => repeatCases(open));
    describe('edits and deletions', () => amendmentCases(open));
    describe('range', () => rangeCases(open));
    describe('tail', () => tailCases(open));
    describe('rooms', () => roomCases(open));
    describe('users', () => userCases(open));
    describe('random histories', () => historyCases(open));
  });
}
