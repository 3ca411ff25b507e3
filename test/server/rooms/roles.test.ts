import { describe, expect, test } from 'vitest';
import { heirOf, ownersOf, roleIn } from '../../../server/rooms/roles.ts';
import type { RolesOfRoom } from '../../../server/store/port.ts';
import { LOBBY } from '../../../shared/mint.ts';

const room = { id: 'r', kind: 'public', createdBy: 'mika' } as const;
const none: RolesOfRoom = { roleSeq: 0, holders: [], eldest: ['lin', 'mika'], members: ['mika'], banned: [] };

describe('a room without an owner', () => {
  test('that is older than roles: its creator owns it, else its eldest member', () => {
    expect(ownersOf(room, none)).toEqual(['mika']);
    expect(ownersOf(room, { ...none, members: [] })).toEqual(['lin']);
    expect(ownersOf(room, { ...none, members: [], eldest: [] })).toEqual([]);
  });

  test('after changes of roles: the eldest moderator owns it, else the eldest member', () => {
    const later = { ...none, roleSeq: 3 };
    expect(ownersOf(room, { ...later, holders: [{ user: 'osei', role: 'moderator' }] })).toEqual(['osei']);
    expect(ownersOf(room, later)).toEqual(['lin']);
  });

  test('the lobby and direct conversations have none', () => {
    expect(ownersOf({ ...room, id: LOBBY }, none)).toEqual([]);
    expect(ownersOf({ ...room, kind: 'direct' }, none)).toEqual([]);
    expect(roleIn({ ...room, id: LOBBY }, none, 'mika')).toBe('member');
  });
});

test('the heir is the eldest moderator who stays, else the eldest member who stays', () => {
  const holders = [
    { user: 'mika', role: 'owner' },
    { user: 'osei', role: 'moderator' },
  ] as const;
  expect(heirOf('mika', { ...none, holders: [...holders] })).toBe('osei');
  expect(heirOf('mika', none)).toBe('lin');
  expect(heirOf('lin', { ...none, eldest: ['lin'] })).toBeUndefined();
});
