/** A client of the load counts each message exactly once, whatever the server sends, and however often. */
import { expect, test } from 'vitest';
import type { OffsetRange } from '../../../web/records/spans.ts';
import { createLogFollower } from './logFollower.ts';

const ROOM = 'lobby';

/** A log whose message at each serverOffset has that number. */
function scene(head = 10) {
  const live: number[] = [];
  const fetched: number[] = [];
  const asked: (OffsetRange & { answer: (last: number, head: number) => void; lose: () => void })[] = [];
  let left = 0;
  const follower = createLogFollower(
    {
      live: (number) => live.push(number),
      fetched: (number) => fetched.push(number),
      left(messages) {
        left += messages;
      },
    },
    (_room, range, onAnswer) =>
      asked.push({
        ...range,
        answer: (last, head) =>
          onAnswer(
            packet('430', [
              { ok: true, epoch: 'e', ...run(range.from, last), amendments: [], users: {}, head },
            ]),
          ),
        lose: () => onAnswer(undefined),
      }),
  );
  const welcome = (from: number, to: number) =>
    follower.welcome(packet('42', ['welcome', { epoch: 'e', rooms: [{ id: ROOM, from, head: to }] }]));
  welcome(head + 1, head);
  return {
    live,
    fetched,
    asked,
    left: () => left,
    welcome,
    known: follower.known,
    entries: (first: number, last: number, room = ROOM) =>
      follower.entries(packet('42', ['entries', { room, ...run(first, last), users: {} }])),
    described: (payload: object) => follower.room(packet('42', ['room', payload])),
    heads: (head: number) => follower.heads(packet('42', ['heads', { [ROOM]: head }])),
  };
}

function packet(type: string, payload: unknown): Buffer {
  return Buffer.from(type + JSON.stringify(payload));
}

function run(first: number, last: number) {
  const entries = from(first, last).map((serverOffset) => ({
    serverOffset,
    author: 'a',
    clientOffset: 'c',
    at: 1_000 + serverOffset,
    kind: 'text',
    body: `#${serverOffset} at last`,
  }));
  return { entries };
}

function from(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

test('live frames count, and what a frame repeats does not count again', () => {
  const { live, entries, asked } = scene();
  entries(11, 14);
  entries(13, 16);
  entries(11, 16);
  expect(live).toEqual(from(11, 16));
  expect(asked).toEqual([]);
});

test('a frame that leaves a hole, or a head, makes it request what is missing, once; the answer counts as fetched', () => {
  const { live, fetched, asked, entries, heads, left } = scene();
  entries(11, 12);
  entries(20, 21);
  heads(25);
  expect(asked).toMatchObject([{ from: 13 }]);
  asked[0]!.answer(22, 25); // shorter than what was requested
  expect(asked).toMatchObject([{ from: 13 }, { from: 23 }]);
  asked[1]!.answer(26, 26);
  entries(26, 27); // and what the answer had already comes live
  expect(live).toEqual([11, 12, 27]);
  expect(fetched).toEqual(from(13, 26));
  expect(left()).toBe(0);
  expect(asked).toHaveLength(2);
});

test('of more than 200 missing messages the newest 50 are fetched, and the rest counts as left', () => {
  const { live, fetched, asked, entries, heads, left } = scene();
  heads(310);
  expect(asked).toMatchObject([{ from: 261 }]);
  asked[0]!.answer(315, 315);
  entries(311, 318);
  expect(left()).toBe(250);
  expect(fetched).toEqual(from(261, 315));
  expect(live).toEqual(from(316, 318));
});

test('after a lost connection it says where its log ends; the catch-up counts as fetched, and what it leaves out as left', () => {
  const { live, fetched, asked, entries, heads, left, welcome, known } = scene();
  entries(11, 12);
  heads(20);
  asked[0]!.lose();
  expect(known()).toEqual({ epoch: 'e', cursors: { [ROOM]: [12, 1_012] } });
  welcome(31, 80); // newer than what it asked for
  heads(90); // waits for the catch-up
  expect(asked).toHaveLength(1);
  entries(31, 60);
  entries(61, 80);
  expect(asked).toMatchObject([{ from: 13 }, { from: 81 }]);
  asked[1]!.answer(90, 90);
  entries(91, 91);
  expect(fetched).toEqual(from(31, 90));
  expect(left()).toBe(18);
  expect(live).toEqual([11, 12, 91]);
});

test('a room that the server could not read at the welcome is followed from its description on', () => {
  const { live, fetched, described, entries } = scene();
  described({
    failed: { id: 'late', error: { code: 'unavailable', message: 'The store does not answer.' } },
  });
  described({ room: { id: 'late', from: 1, head: 2 } });
  entries(1, 2, 'late');
  entries(3, 3, 'late');
  expect(fetched).toEqual([1, 2]);
  expect(live).toEqual([3]);
});
