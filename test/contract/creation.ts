/** Entries that make their room: nobody sees one without the room, its creator and its member, and a room is made once. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { NewEntry, Store } from '../../server/store/port.ts';
import { LOBBY } from '../../shared/mint.ts';
import { append, appendNew, type Harness, inDatabase, newId, newRoom, text } from './support.ts';

export function creationCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('the entry that makes a room is its first one, and makes its author creator and member', async () => {
    const made = creation({ name: 'Galley', roomKind: 'private' });
    const { room: id, author } = made;
    expect(await appendNew(db.store, [made], 7)).toEqual([1]);
    const room = {
      id,
      kind: 'private',
      name: 'Galley',
      createdBy: author,
      createdAt: 7,
      head: 1,
      members: 1,
    };
    const look = async (store: Store) => ({
      room: await store.rooms.byId(id),
      isMember: await store.rooms.isMember(id, author),
      ofUser: await store.rooms.ofUser(author),
      created: await store.rooms.countCreated(author, 7),
      roles: await store.rooms.roles(id, [author]),
    });
    const seen = {
      room,
      isMember: true,
      ofUser: [{ room, readUpTo: 1, settings: undefined }],
      created: 1,
      roles: { roleSeq: 0, holders: [], eldest: [author], members: [author], banned: [] },
    };
    expect(await look(db.store)).toEqual(seen);
    await db.harness.reopen();
    expect(await look(db.store)).toEqual(seen);
    expect(await db.store.rooms.countCreated(author, 8)).toBe(0);
    const { entries } = await db.store.log.range(id, 1, 9, 10_000);
    const { clientOffset } = made;
    expect(entries).toEqual([
      { serverOffset: 1, author, clientOffset, at: 7, kind: 'create', name: 'Galley', roomKind: 'private' },
    ]);
  });

  it('a public room that an entry makes is listed', async () => {
    const made = creation({ name: 'Harbour', roomKind: 'public' });
    await appendNew(db.store, [made], 60_000_000_000_000);
    const listed = await db.store.rooms.listPublic(undefined, 1);
    expect(listed).toMatchObject([
      { id: made.room, name: 'Harbour', members: 1, activeAt: 60_000_000_000_000 },
    ]);
  });

  it('a repeat of an entry that makes a room is a repeat; anything else that would make it finds it taken', async () => {
    const made = creation({ name: 'Deck' });
    await appendNew(db.store, [made, text(made.room, made.author, 'hello')]);
    const other = creation({ room: made.room });
    expect(
      await append(db.store, [
        made,
        { ...made, ...withName('Other') },
        { ...made, clientOffset: newId() },
        other,
        text(made.room, made.author, 'still there'),
      ]),
    ).toEqual([
      { tag: 'repeat', serverOffset: 1, at: 1_000 },
      { tag: 'conflict' },
      { tag: 'room-exists' },
      { tag: 'room-exists' },
      { tag: 'appended', serverOffset: 3, at: 1_000 },
    ]);
    expect(await db.store.rooms.byId(made.room)).toMatchObject({ name: 'Deck', createdBy: made.author });
    expect(await db.store.rooms.isMember(made.room, other.author)).toBe(false);
  });

  it('a room without entries is not taken over by one that would make it', async () => {
    const room = await newRoom(db.store);
    const author = newId();
    const before = await db.store.rooms.byId(room);
    const asked = [creation({ author, room }), creation({ author, room: LOBBY })];
    expect(await append(db.store, asked)).toEqual([{ tag: 'room-exists' }, { tag: 'room-exists' }]);
    expect(await db.store.rooms.byId(room)).toEqual(before);
    expect(await db.store.rooms.ofUser(author)).toEqual([]);
  });

  it('before a room is made nothing is written in it, in one batch too', async () => {
    const made = creation({});
    const { room, author } = made;
    expect(await append(db.store, [text(room, author, 'too early')])).toEqual([{ tag: 'no-room' }]);
    const results = await append(db.store, [text(room, author, 'a'), made, text(room, author, 'b')], 5);
    expect(results).toEqual([
      { tag: 'no-room' },
      { tag: 'appended', serverOffset: 1, at: 5 },
      { tag: 'appended', serverOffset: 2, at: 5 },
    ]);
  });

  it('of two that make one room in one batch or at once, the first one makes it', async () => {
    const [one, two] = [creation({ name: 'One' }), creation({ name: 'Two' })];
    const other = { ...two, room: one.room };
    expect(await append(db.store, [one, other])).toEqual([
      { tag: 'appended', serverOffset: 1, at: 1_000 },
      { tag: 'room-exists' },
    ]);
    const third = creation({ name: 'Three' });
    const rival = { ...creation({ name: 'Four' }), room: third.room };
    const both = await Promise.all([append(db.store, [third]), append(db.store, [rival])]);
    await expectOneCreator(db.store, [third, rival], both.flat());
  });
}

/** One was appended; the room is that of its author alone. */
export async function expectOneCreator(
  store: Store,
  asked: readonly NewEntry[],
  results: readonly { tag: string }[],
): Promise<void> {
  const winners = asked.filter((_, i) => results[i]!.tag === 'appended');
  expect(results.map(({ tag }) => tag).sort()).toEqual([
    'appended',
    ...Array.from({ length: asked.length - 1 }, () => 'room-exists'),
  ]);
  const [{ room, author, content } = asked[0]!] = winners;
  expect(await store.rooms.byId(room)).toMatchObject({
    createdBy: author,
    name: content?.name,
    head: 1,
    members: 1,
  });
  for (const one of asked) expect(await store.rooms.isMember(room, one.author)).toBe(one.author === author);
}

interface Creation {
  name?: string;
  roomKind?: 'public' | 'private';
  author?: string;
  room?: string;
}

export function creation({
  name = 'Deck',
  roomKind = 'public',
  author = newId(),
  room = newId(),
}: Creation): NewEntry {
  return { room, author, clientOffset: newId(), kind: 'create', ...withName(name, roomKind) };
}

function withName(name: string, roomKind = 'public') {
  const content = { roomKind, name };
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
  return { content, digest };
}
