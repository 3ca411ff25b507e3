import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { directRoomOf, membersOfPair, otherIn, pairOf } from '../../shared/directPair.ts';
import { Id, RoomId, recordById } from '../../shared/ids.ts';
import { idFrom, LOBBY } from '../../shared/mint.ts';

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('idFrom', () => {
  test('encodes 16 bytes as base64url, as Node does', () => {
    fc.assert(
      fc.property(sixteen, (bytes) => {
        expect(idFrom(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
      }),
    );
  });

  test('returns a valid id', () => {
    fc.assert(fc.property(sixteen, (bytes) => v.is(Id, idFrom(bytes))));
  });

  test('accepts only 16 bytes', () => {
    expect(() => idFrom(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('Id', () => {
  const good = 'A'.repeat(21);

  test.each([
    ['too short', good],
    ['too long', `${good}AA`],
    ['bits past the 128th', `${good}B`],
    ['another alphabet', `${'A'.repeat(20)}+A`],
    ['a line break at its end', `${good}A\n`],
    ['a prototype', '__proto__'],
    ['nothing', ''],
    ['a number', 1],
    ['null', null],
  ])('refuses: %s', (_, value) => {
    expect(v.is(Id, value)).toBe(false);
    expect(v.is(RoomId, value)).toBe(false);
  });

  test('lobby is a room id and no user id', () => {
    expect(v.is(RoomId, LOBBY)).toBe(true);
    expect(v.is(Id, LOBBY)).toBe(false);
  });
});

describe('recordById', () => {
  const Counts = recordById(RoomId, v.number());

  test('keeps every value under its key', () => {
    const value = { lobby: 1, [idFrom(new Uint8Array(16))]: 2 };
    expect(v.parse(Counts, value)).toEqual(value);
  });

  test('refuses __proto__ as a key from the wire, and does not pollute the prototype', () => {
    const value = JSON.parse('{"lobby":1,"__proto__":{"polluted":true}}');
    expect(v.is(Counts, value)).toBe(false);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test.each([
    ['a key that is no id', { lobby: 1, constructor: 2 }],
    ['a value of another type', { lobby: '1' }],
    ['a list', [1]],
    ['null', null],
    ['a number', 1],
  ])('refuses %s', (_, value) => {
    expect(v.is(Counts, value)).toBe(false);
  });
});

describe('the room of a direct conversation', () => {
  const ids = sixteen.map(idFrom);

  test('is the same whoever begins it, names the two, and is the id of no other room', () => {
    fc.assert(
      fc.property(ids, ids, (one, other) => {
        const room = directRoomOf(one, other);
        expect(directRoomOf(other, one)).toBe(room);
        expect(v.is(RoomId, room)).toBe(true);
        expect(v.is(Id, room)).toBe(false);
        expect(new Set(pairOf(room))).toEqual(new Set([one, other]));
        expect([otherIn(room, one), otherIn(room, other)]).toEqual([other, one]);
        expect(membersOfPair(pairOf(room)!)).toBe(one === other ? 1 : 2);
      }),
    );
  });

  test('has one form alone', () => {
    const [a, b] = [`${'A'.repeat(21)}A`, `${'B'.repeat(21)}A`];
    expect(v.is(RoomId, `${a}~${b}`)).toBe(true);
    for (const id of [
      `${b}~${a}`,
      `${a}~`,
      `~${a}`,
      `${a}~${b}~${b}`,
      `${a}~x`,
      '~',
      `${a}.${b}`,
      `lobby~${a}`,
    ])
      expect(v.is(RoomId, id), id).toBe(false);
    expect([pairOf(a), pairOf('lobby'), otherIn(a, a)]).toEqual([undefined, undefined, undefined]);
  });
});
