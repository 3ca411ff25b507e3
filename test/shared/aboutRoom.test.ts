/** The rule by which both sides keep what a room is now. */
import { expect, test } from 'vitest';
import { changedBy, type RoomAbout } from '../../shared/aboutRoom.ts';
import type { Entry } from '../../shared/entry.ts';

interface Named {
  name: string;
  about?: RoomAbout;
}

let offset = 0;
const entry = (kind: string, fields: object = {}) =>
  ({ kind, serverOffset: ++offset, ...fields }) as unknown as Entry;
const after = (room: Named, ...entries: Entry[]) => changedBy<Named>(room, entries);

test('each field is that of its newest change; what is known already, or changes nothing, leaves the room as it is', () => {
  offset = 0;
  const deck: Named = { name: 'Deck' };
  const old = entry('about', { name: 'Old' });
  const room = after(deck, old, entry('about', { description: 'x' }), entry('text', { body: 'y' }));
  expect(room).toEqual({ name: 'Old', about: { upTo: 2, description: 'x' } });
  expect(after(room, old)).toBe(room);
  expect(after(room, entry('about', { ofLater: 1 }), entry('role', { role: 'owner' }))).toBe(room);
  expect(after(room, entry('about', { name: 7, announcements: 'yes' }))).toBe(room);
});

test('a message is pinned until another one is, until it is unpinned, or until it is deleted, by anybody', () => {
  offset = 20;
  const pinned = (...entries: Entry[]) => after({ name: 'Deck' }, ...entries).about?.pinned;
  expect(pinned(entry('pin', { target: 3, on: true }))).toBe(3);
  expect(pinned(entry('pin', { target: 3, on: true }), entry('pin', { target: 4, on: true }))).toBe(4);
  expect(pinned(entry('pin', { target: 3, on: true }), entry('pin', { target: 3, on: false }))).toBe(0);
  for (const kind of ['delete', 'takedown']) {
    expect(pinned(entry('pin', { target: 3, on: true }), entry(kind, { target: 3 }))).toBe(0);
    expect(pinned(entry('pin', { target: 3, on: true }), entry(kind, { target: 4 }))).toBe(3);
  }
  expect(pinned(entry('pin', { target: 3, on: true }), entry('edit', { target: 3, body: 'z' }))).toBe(3);
  expect(pinned(entry('delete', { target: 3 }))).toBeUndefined();
});
