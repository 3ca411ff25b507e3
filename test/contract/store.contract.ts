/**
 * The contract of server/store/port.ts: the same cases for every adapter. The test of an adapter calls one of these functions
 * with a way to create an empty database.
 */
import { describe } from 'vitest';
import { runsOf } from '../support/runs.ts';
import { aboutRoomCases } from './aboutRooms.ts';
import { amendmentCases } from './amendments.ts';
import { appendCases } from './append.ts';
import { creationCases } from './creation.ts';
import { grownCases } from './grown.ts';
import { type HistoryOptions, histories, historyCases } from './histories/cases.ts';
import { invitationCases } from './invitations.ts';
import { keeperCases } from './keepers.ts';
import { mentionCases } from './mentions.ts';
import { passCases } from './oneTimePasses.ts';
import { presenceCases } from './presence.ts';
import { rangeCases } from './range.ts';
import { reactionCases } from './reactions.ts';
import { repeatCases } from './repeats.ts';
import { replyCases } from './replies.ts';
import { reportCases } from './reports.ts';
import { roleCases } from './roles.ts';
import { roomListCases } from './roomList.ts';
import { roomCases } from './rooms.ts';
import { settingsCases } from './settings.ts';
import { sharedAboutRoomCases } from './shared/aboutRooms.ts';
import { sharedAppendCases } from './shared/append.ts';
import { interruptedCases } from './shared/interrupted.ts';
import { sharedRoleCases } from './shared/roles.ts';
import { sharedRoomCases } from './shared/rooms.ts';
import { sharedTailCases } from './shared/tail.ts';
import { sharedUserCases } from './shared/users.ts';
import type { Harness, SharedHarness } from './support.ts';
import { tailCases } from './tail.ts';
import { togetherCases } from './together.ts';
import { expiryCases, userCases } from './users.ts';

/**
 * For a database that only one process uses, where an entry and its side effects are one transaction: there are no other
 * writers, and no process can die between the two.
 */
export function storeContract(name: string, open: () => Promise<Harness>): void {
  describe(`the store contract, on ${name}`, () => {
    casesOfOne(open);
    describe('random histories', () =>
      historyCases(open, async () => ({ others: [] }), histories(runsOf('histories of one store'))));
  });
}

/** For a database that several processes share. */
export function sharedStoreContract(name: string, open: () => Promise<SharedHarness>): void {
  describe(`the store contract, on ${name}`, () => {
    sharedCases(open);
    describe('random histories', () =>
      sharedHistoryCases(open, histories(runsOf('histories of three stores'))));
  });
}

/** All but the random histories. */
export function sharedCases(open: () => Promise<SharedHarness>): void {
  casesOfOne(open);
  describe('append, by several', () => sharedAppendCases(open));
  describe('tail, of several', () => sharedTailCases(open));
  describe('interrupted deletions, joins and leaves', () => interruptedCases(open));
  describe('rooms, by several', () => sharedRoomCases(open));
  describe('roles, by several', () => sharedRoleCases(open));
  describe('changes of rooms, by several', () => sharedAboutRoomCases(open));
  describe('users, by several', () => sharedUserCases(open));
}

export function sharedHistoryCases(open: () => Promise<SharedHarness>, options: HistoryOptions): void {
  const castOf = async ({ another, interrupted }: SharedHarness) => ({
    others: [await another(), await another()],
    interrupted,
  });
  historyCases(open, castOf, options);
}

function casesOfOne(open: () => Promise<Harness>): void {
  describe('append', () => appendCases(open));
  describe('repeats', () => repeatCases(open));
  describe('edits and deletions', () => amendmentCases(open));
  describe('range', () => rangeCases(open));
  describe('replies', () => replyCases(open));
  describe('reactions', () => reactionCases(open));
  describe('mentions', () => mentionCases(open));
  describe('settings of rooms', () => settingsCases(open));
  describe('tail', () => tailCases(open));
  describe('rooms', () => roomCases(open));
  describe('entries that make rooms', () => creationCases(open));
  describe('roles', () => roleCases(open));
  describe('changes of rooms', () => aboutRoomCases(open));
  describe('the list of rooms', () => roomListCases(open));
  describe('users', () => userCases(open));
  describe('reads of many at the same moment', () => togetherCases(open));
  describe('devices that expire', () => expiryCases(open));
  describe('one-time passes', () => passCases(open));
  describe('keepers', () => keeperCases(open));
  describe('invitations', () => invitationCases(open));
  describe('presence', () => presenceCases(open));
  describe('reports', () => reportCases(open));
  describe('entries of any kind', () => grownCases(open));
}
