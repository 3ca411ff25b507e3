import { expect, it } from 'vitest';
import type { NewEntry } from '../../server/store/port.ts';
import type { RoomRole } from '../../shared/protocol/index.ts';
import { append, appendNew, type Harness, inDatabase, item, join, leave, newId, newRoom } from './support.ts';

export function roleCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  async function roomOf(people: readonly string[]): Promise<string> {
    const room = await newRoom(db.store);
    await appendNew(
      db.store,
      people.map((user) => join(room, user)),
    );
    return room;
  }

  it('roles are those of the newest entries, with the number of the last change; who leaves has none', async () => {
    const [me, you, third] = [newId(), newId(), newId()];
    const room = await roomOf([me, you, third]);
    expect(await db.store.rooms.roles(room, [me, newId()])).toEqual({
      roleSeq: 0,
      holders: [],
      eldest: [me, you],
      members: [me],
      banned: [],
    });
    await appendNew(db.store, [
      giveRole(room, me, third, 'moderator', 1, { authorRole: 'owner' }),
      giveRole(room, me, you, 'owner', 2),
    ]);
    await db.harness.reopen();
    const holdersOf = async () => (await db.store.rooms.roles(room, [])).holders;
    expect(await holdersOf()).toEqual([
      { user: me, role: 'owner' },
      { user: you, role: 'owner' },
      { user: third, role: 'moderator' },
    ]);
    await appendNew(db.store, [
      giveRole(room, you, third, 'member', 3),
      giveRole(room, you, me, 'owner', 4, { authorRole: 'moderator' }),
      { ...leave(room, me), roleSeq: 5 },
      join(room, me), // again, and as a member
    ]);
    expect(await db.store.rooms.roles(room, [me, you])).toEqual({
      roleSeq: 5,
      holders: [{ user: you, role: 'moderator' }],
      eldest: [you, third],
      members: [me, you],
      banned: [],
    });
  });

  it('a role that reaches somebody who has left does not count, also not when they come back', async () => {
    const [me, you] = [newId(), newId()];
    const room = await roomOf([me, you]);
    await appendNew(db.store, [leave(room, you), giveRole(room, me, you, 'owner', 1)]);
    expect((await db.store.rooms.roles(room, [you])).holders).toEqual([]);
    await appendNew(db.store, [join(room, you)]);
    expect(await db.store.rooms.roles(room, [you])).toMatchObject({ holders: [], members: [you] });
  });

  it('of changes that were decided on the same roles the first holds, the others are outdated', async () => {
    const [me, you] = [newId(), newId()];
    const room = await roomOf([me, you]);
    const first = giveRole(room, me, you, 'moderator', 1);
    const results = await append(db.store, [
      first,
      giveRole(room, you, me, 'moderator', 1),
      { ...leave(room, you), roleSeq: 1 },
      first,
      giveRole(room, you, me, 'moderator', 2),
    ]);
    expect(results.map(({ tag }) => tag)).toEqual(['appended', 'outdated', 'outdated', 'repeat', 'appended']);
    const all = await Promise.all(
      Array.from({ length: 6 }, () => append(db.store, [giveRole(room, me, you, 'member', 3)])),
    );
    expect(all.flat().filter(({ tag }) => tag === 'appended')).toHaveLength(1);
    expect(all.flat().filter(({ tag }) => tag === 'outdated')).toHaveLength(5);
    expect(await db.store.rooms.isMember(room, you)).toBe(true);
    const { entries } = await db.store.log.range(room, 1, 100, 1_000_000);
    expect(entries.map(({ kind }) => kind)).toEqual(['join', 'join', 'role', 'role', 'role']);
    expect(entries[2]).toMatchObject({ author: me, subject: you, role: 'moderator' });
    expect(entries[2]).not.toHaveProperty('roleSeq');
  });

  it('a removal ends the membership and the role of its subject, who may join again', async () => {
    const [me, you] = [newId(), newId()];
    const room = await roomOf([me, you]);
    await appendNew(db.store, [giveRole(room, me, you, 'moderator', 1), about(room, me, you, 'removal', 2)]);
    expect(await db.store.rooms.isMember(room, you)).toBe(false);
    expect(await db.store.rooms.isMember(room, me)).toBe(true);
    await appendNew(db.store, [join(room, you)]);
    expect(await db.store.rooms.roles(room, [you])).toMatchObject({
      holders: [],
      members: [you],
      banned: [],
    });
  });

  it('a ban ends the membership, and no join makes a member until it is lifted', async () => {
    const [me, you, never] = [newId(), newId(), newId()];
    const room = await roomOf([me, you]);
    await appendNew(db.store, [
      about(room, me, you, 'ban', 1),
      about(room, me, never, 'ban', 2),
      join(room, you), // decided before the ban was known
    ]);
    await db.harness.reopen();
    const { rooms } = db.store;
    expect(await rooms.isMember(room, you)).toBe(false);
    expect((await rooms.byId(room))?.members).toBe(1);
    expect(await rooms.roles(room, [me, you, never])).toMatchObject({ members: [me], banned: [you, never] });
    expect((await rooms.banned(room, 10)).toSorted()).toEqual([you, never].toSorted());
    expect(await rooms.banned(room, 1)).toHaveLength(1);
    await appendNew(db.store, [about(room, me, you, 'unban', 3)]);
    expect(await rooms.isMember(room, you)).toBe(false);
    await appendNew(db.store, [join(room, you)]);
    expect(await rooms.isMember(room, you)).toBe(true);
    expect(await rooms.banned(room, 10)).toEqual([never]);
  });

  it('says from which rooms a user was removed, or is banned, and has not left by themselves', async () => {
    const [me, you] = [newId(), newId()];
    const [left, removed, banned, lifted, back] = await Promise.all(
      Array.from({ length: 5 }, () => roomOf([me, you])),
    );
    await appendNew(db.store, [
      leave(left!, you),
      about(removed!, me, you, 'removal', 1),
      about(banned!, me, you, 'ban', 1),
      about(lifted!, me, you, 'ban', 1),
      about(lifted!, me, you, 'unban', 2),
      about(back!, me, you, 'removal', 1),
      join(back!, you),
    ]);
    const rooms = [left!, removed!, banned!, lifted!, back!, newId()];
    const exits = await db.store.rooms.exits(you, rooms);
    expect(Object.fromEntries(exits)).toEqual({
      [removed!]: 'removed',
      [banned!]: 'banned',
      [lifted!]: 'removed',
    });
    expect(await db.store.rooms.exits(you, [left!])).toEqual(new Map());
    expect(await db.store.rooms.exits(me, rooms)).toEqual(new Map());
  });
}

export function giveRole(
  room: string,
  author: string,
  subject: string,
  role: RoomRole,
  roleSeq: number,
  more: object = {},
): NewEntry {
  const bare = item({ room, author, clientOffset: newId() }, { kind: 'role' });
  return { ...bare, subject, content: { role, ...more }, roleSeq };
}

export function about(
  room: string,
  author: string,
  subject: string,
  kind: string,
  roleSeq: number,
): NewEntry {
  return { ...item({ room, author, clientOffset: newId() }, { kind }), subject, roleSeq };
}
