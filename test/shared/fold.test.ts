import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../shared/entry.ts';
import { fold } from '../../shared/fold.ts';
import { useProductKinds, useTestKinds } from '../support/testKinds.ts';

const ada = 'A'.repeat(22);
const bob = `B${'A'.repeat(21)}`;

function text(serverOffset: number, body: string | undefined, author = ada): Entry {
  const placed = { serverOffset, author, clientOffset: keyOf(serverOffset), at: serverOffset };
  return body === undefined ? { ...placed, kind: 'text', deleted: true } : { ...placed, kind: 'text', body };
}

function edit(serverOffset: number, target: number, body: string | undefined, author = ada): Entry {
  const { kind: _, ...rest } = text(serverOffset, body, author) as Extract<Entry, { kind: 'text' }>;
  return { ...rest, kind: 'edit', target } as Entry;
}

function remove(serverOffset: number, target: number, author = ada): Entry {
  return {
    serverOffset,
    author,
    clientOffset: keyOf(serverOffset),
    at: serverOffset,
    kind: 'delete',
    target,
  };
}

function keyOf(serverOffset: number): string {
  return `${String(serverOffset).padStart(21, '0')}A`;
}

/** The first line as text. */
function shown(entries: Entry[], amendments: Entry[] = []): string {
  const [line] = fold(entries, amendments);
  if (line?.tag === 'text') return line.edited ? `${line.body} (edited)` : line.body;
  return line?.tag ?? 'nothing';
}

describe('fold', () => {
  test.each<[string, Entry[], Entry[], string]>([
    ['a text shows its body', [text(1, 'a')], [], 'a'],
    ['an edit replaces the body', [text(1, 'a'), edit(2, 1, 'b')], [], 'b (edited)'],
    ['an edit from elsewhere replaces it, too', [text(1, 'a')], [edit(9, 1, 'b')], 'b (edited)'],
    ['the last edit wins', [text(1, 'a'), edit(2, 1, 'b'), edit(3, 1, 'c')], [], 'c (edited)'],
    ['the last edit wins, wherever it is', [text(1, 'a'), edit(3, 1, 'c')], [edit(2, 1, 'b')], 'c (edited)'],
    ['a deletion wins', [text(1, 'a'), remove(2, 1)], [], 'deleted'],
    ['a deletion wins over a later edit', [text(1, 'a'), remove(2, 1)], [edit(3, 1, 'b')], 'deleted'],
    ['a redacted text is deleted', [text(1, undefined)], [], 'deleted'],
    [
      'a redacted text is deleted whatever its edits are',
      [text(1, undefined), edit(2, 1, 'b')],
      [],
      'deleted',
    ],
    ['an edit by somebody else changes nothing', [text(1, 'a'), edit(2, 1, 'b', bob)], [], 'a'],
    ['a deletion by somebody else changes nothing', [text(1, 'a')], [remove(2, 1, bob)], 'a'],
  ])('%s', (_, entries, amendments, expected) => {
    expect(shown(entries, amendments)).toBe(expected);
  });

  test("a later edit by somebody else does not hide the author's own", () => {
    expect(shown([text(1, 'a'), edit(2, 1, 'b'), edit(3, 1, 'c', bob)])).toBe('b (edited)');
  });

  test('joins, leaves, edits and deletions have no line; an unknown kind has one unless it has a target', () => {
    const { kind: _, target, ...placed } = remove(2, 1) as Extract<Entry, { target: number }>;
    const others: Entry[] = ['join', 'leave', 'later'].map((kind, i) => ({
      ...placed,
      serverOffset: 3 + i,
      kind,
    }));
    others.push({ ...placed, serverOffset: 6, kind: 'later', target });
    expect(fold([text(1, 'a'), edit(2, 1, 'b'), ...others])).toMatchObject([
      { tag: 'text' },
      { tag: 'unknown', kind: 'later', serverOffset: 5 },
    ]);
  });

  test('an unreadable entry has a line that says so, whatever its kind', () => {
    const bad = { ...text(1, undefined), deleted: undefined, unreadable: true as const };
    const entries = ['text', 'edit', 'join'].map(
      (kind, i) => ({ ...bad, serverOffset: i + 1, kind }) as unknown as Entry,
    );
    expect(fold(entries).map(({ tag }) => tag)).toEqual(Array(3).fill('unreadable'));
  });

  test('of the classes in the table of kinds only messages have a line: not silent, aggregated or membership kinds', () => {
    useTestKinds();
    const placed = (serverOffset: number) => {
      return { serverOffset, author: ada, clientOffset: keyOf(serverOffset), at: 0 };
    };
    const entries: Entry[] = [
      { ...placed(1), kind: 'test-message', words: 'a' } as Entry,
      { ...placed(2), kind: 'test-silent' },
      { ...placed(3), kind: 'test-reaction', target: 1 },
      { ...placed(4), kind: 'test-removed', subject: bob },
      { ...placed(5), kind: 'test-message', words: 'b' } as Entry,
      { ...placed(6), author: bob, kind: 'test-erase', target: 5 },
    ];
    expect(fold(entries)).toMatchObject([
      { tag: 'unknown', kind: 'test-message' },
      { tag: 'deleted', serverOffset: 5 },
    ]);
    useProductKinds();
    expect(fold(entries).map(({ serverOffset }) => serverOffset)).toEqual([1, 2, 4, 5]);
  });

  test('a deletion by a moderator says by whom; one by the author, who may be a moderator, does not', () => {
    const takedown = (offset: number, author: string): Entry => ({
      ...remove(offset, 1, author),
      kind: 'takedown',
    });
    expect(fold([text(1, 'a')], [takedown(5, bob)])).toMatchObject([{ tag: 'deleted', by: bob }]);
    expect(fold([text(1, undefined), takedown(5, bob), edit(6, 1, undefined)])).toMatchObject([{ by: bob }]);
    expect(fold([text(1, 'a'), takedown(5, ada)])[0]).not.toHaveProperty('by');
    expect(fold([text(1, 'a'), remove(5, 1)])[0]).not.toHaveProperty('by');
  });

  test('amendments have the same effect in any order, repeated, among the entries or from elsewhere', () => {
    const texts = [text(1, 'a'), text(2, 'b')];
    const amendment = fc
      .tuple(
        fc.integer({ min: 3, max: 30 }),
        fc.constantFrom(1, 2),
        fc.constantFrom('edit', 'blank', 'delete'),
      )
      .map(([offset, target, kind]) =>
        kind === 'delete'
          ? remove(offset, target)
          : edit(offset, target, kind === 'blank' ? undefined : `e${offset}`),
      );
    const some = fc.uniqueArray(amendment, { selector: (entry) => entry.serverOffset });
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.integer({ min: 0, max: 99 })), (amendments, dice) => {
        const ranked = amendments.map((entry) => ({ entry, rank: dice.next().value }));
        const shuffled = ranked.toSorted((a, b) => a.rank - b.rank).map(({ entry }) => entry);
        const ascending = amendments.toSorted((a, b) => a.serverOffset - b.serverOffset);
        const once = fold(texts, ascending);
        expect(fold(texts, shuffled)).toEqual(once);
        expect(fold(texts, [...shuffled, ...ascending])).toEqual(once);
        expect(fold([...texts, ...ascending])).toEqual(once);
      }),
    );
  });
});
