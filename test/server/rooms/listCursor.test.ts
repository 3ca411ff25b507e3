import * as v from 'valibot';
import { expect, test } from 'vitest';
import { listCursor, positionOf } from '../../../server/rooms/listCursor.ts';
import { Id } from '../../../shared/ids.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { newId } from '../../support/api.ts';

test('a cursor has the form of an id, which clients check, and leads back to its position', () => {
  for (const activeAt of [0, 1, Date.now(), 2 ** 48 - 1]) {
    const id = newId();
    const cursor = listCursor({ activeAt, id });
    expect(v.is(Id, cursor)).toBe(true);
    const position = positionOf(cursor)!;
    expect(position.activeAt).toBe(activeAt);
    expect(id.startsWith(position.id)).toBe(true);
    expect(position.id.length).toBeGreaterThan(8);
  }
});

test('the lobby may be the last room of a page', () => {
  const cursor = listCursor({ activeAt: 1_700_000_000_000, id: LOBBY });
  expect(v.is(Id, cursor)).toBe(true);
  expect(positionOf(cursor)).toEqual({ activeAt: 1_700_000_000_000, id: LOBBY });
});

test('an id that ends like the padding is still before no other room of its page', () => {
  const id = 'abcdefghijk--_________'; // 13 characters of it are kept
  const { id: prefix } = positionOf(listCursor({ activeAt: 5, id }))!;
  expect(prefix <= id && id.startsWith(prefix)).toBe(true);
});

test('without a cursor the list begins at its beginning, and so it does with what an older server gave for the lobby', () => {
  expect(positionOf(undefined)).toBeUndefined();
  expect(positionOf(LOBBY)).toBeUndefined();
  expect(positionOf(newId())).toMatchObject({ activeAt: expect.any(Number) });
});
