/** Who is typing, as the page keeps it: with a fake clock, and with several tabs and a server. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TYPING_EVERY_MS, TYPING_MAX_MEMBERS, TYPING_SHOWN_MS } from '../../../shared/limits.ts';
import type { Down } from '../../../shared/protocol/index.ts';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { createTypists } from '../../../web/engine/typists.ts';
import { typingText } from '../../../web/i18n/sheets.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { until } from '../db/until.ts';
import { emptyDatabase } from '../log/storedLog.ts';
import { me, text } from '../log/syncBench.ts';
import { ROOM } from '../outbox/support.ts';

let db: UserDatabase;
let clock: FakeClock;
let isVisible: boolean;
let said: unknown[];
let changes: number;
let typing: ReturnType<typeof createTypists>;

beforeEach(async () => {
  db = emptyDatabase(me);
  clock = createFakeClock();
  isVisible = true;
  said = [];
  changes = 0;
  await db.write(['users'], async (tx) => {
    for (const name of ['Mika', 'Lin', 'Osei'])
      await tx.objectStore('users').put({ id: idOf(name), name, rev: 0 });
  });
  typing = createTypists({
    db,
    me,
    clock,
    isVisible: () => isVisible,
    say: (sign) => said.push(sign),
    changed: () => changes++,
  });
});
afterEach(() => {
  typing.down();
  db.close();
});

const idOf = (name: string) => name.padEnd(22, '_');
const sign = (name: string, is = true, room = ROOM) =>
  typing.received({ event: 'typing', payload: { room, user: idOf(name), typing: is } });
const wrote = (name: string, more: object = {}) =>
  typing.received({
    event: 'entries',
    payload: { room: ROOM, entries: [{ ...text(1, 'done', idOf(name)), ...more }], users: {} },
  } as Down);
const names = () => typing.namesIn(ROOM).join();
const untilTyping = (expected: string) => until(expected || 'nobody', () => names() === expected);

describe('others', () => {
  test('a typist is gone 6 s after the last sign, and one whose sign is repeated stays', async () => {
    sign('Mika');
    await untilTyping('Mika');
    clock.pass(TYPING_EVERY_MS);
    sign('Lin');
    sign('Mika');
    await untilTyping('Mika,Lin');
    clock.pass(TYPING_SHOWN_MS - 1);
    expect(names()).toBe('Mika,Lin');
    clock.pass(1);
    expect(names()).toBe('');
    expect(TYPING_SHOWN_MS).toBe(6_000);
    expect(clock.isSet()).toBe(false);
  });

  test('a typist is gone at once when their message comes, and a sign that the message has overtaken does not bring the line back', async () => {
    sign('Mika');
    sign('Lin');
    await untilTyping('Mika,Lin');
    wrote('Mika');
    expect(names()).toBe('Lin');
    sign('Mika');
    clock.pass(1_000);
    expect(names()).toBe('Lin');
    sign('Mika'); // types the next message
    await untilTyping('Lin,Mika');
  });

  test('an edit of an older message does not end the sign; an empty field, and leaving the room, do', async () => {
    sign('Mika');
    await untilTyping('Mika');
    wrote('Mika', { kind: 'edit', target: 1 });
    expect(names()).toBe('Mika');
    sign('Mika', false);
    expect(names()).toBe('');
    sign('Mika');
    await untilTyping('Mika');
    typing.received({ event: 'room', payload: { removed: ROOM } });
    expect(names()).toBe('');
  });

  test('without a connection nobody is typing; the user on another device never is, and rooms are apart', async () => {
    sign('Mika');
    sign('Lin', true, 'another');
    typing.received({ event: 'typing', payload: { room: ROOM, user: me, typing: true } });
    await untilTyping('Mika');
    const before = changes;
    typing.down();
    expect(names()).toBe('');
    expect(changes).toBeGreaterThan(before);
  });

  test('one whose name this device does not know is somebody; of three or more no name is shown', async () => {
    sign('Xu');
    await until('named', () => typing.namesIn(ROOM).length === 1);
    expect(typingText(typing.namesIn(ROOM))).toContain('Somebody');
    const shown = (...of: string[]) => typingText(of).replaceAll(/[\u2068\u2069]/g, '');
    expect(shown('Mika')).toBe('Mika is typing…');
    expect(shown('Mika', 'Lin')).toBe('Mika and Lin are typing…');
    expect(shown('Mika', 'Lin', 'Osei')).toBe('Several people are typing…');
  });
});

describe('one’s own signs', () => {
  const typed = (body: string, members = 2, room = ROOM) => typing.typed(room, body, members);

  test('at most one is sent in 3 s, and one when the field is empty again', () => {
    for (const body of ['H', 'He', 'Hey']) typed(body);
    expect(said).toEqual([{ room: ROOM, typing: true }]);
    clock.pass(TYPING_EVERY_MS);
    typed('Hey y');
    expect(said).toHaveLength(2);
    typed('');
    typed('');
    expect(said.slice(2)).toEqual([{ room: ROOM, typing: false }]);
  });

  test('none is sent from a hidden tab, alone, in a room of more than 50, or in one that is not known', () => {
    isVisible = false;
    typed('H');
    isVisible = true;
    for (const members of [0, 1, TYPING_MAX_MEMBERS + 1]) typed('H', members);
    expect(said).toEqual([]);
    typed('H', TYPING_MAX_MEMBERS);
    expect(said).toHaveLength(1);
  });

  test('after a message the next one is sent only when the message cannot overtake it', () => {
    typed('Hey');
    typing.sent(ROOM);
    typed('A');
    expect(said).toHaveLength(1);
    clock.pass(1_000);
    typed('An');
    expect(said).toHaveLength(2);
  });
});
