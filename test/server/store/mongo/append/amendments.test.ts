/** Edits and deletions: the commands and replies of the algorithm. Targets are looked up at the head that the insert starts from. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command, EntryDocument } from '../../../../../server/store/mongo/append/commands.ts';
import type { NewEntry } from '../../../../../server/store/port.ts';
import { useProductKinds, useTestKinds } from '../../../../support/testKinds.ts';
import {
  appended,
  awaitHead,
  converse,
  deletion,
  duplicate,
  edit,
  find,
  found,
  INSERTED,
  insert,
  item,
  newest,
  ROOM,
  repeat,
  stored,
  targets,
  text,
  UNKNOWN,
} from './converse.ts';

const a = text('a');
const b = text('b');
const editA = edit('e', 'a');
const deleteA = deletion('d', 'a');
const blank = (it: typeof a, serverOffset: number, target: number) => {
  const { body: _, ...rest } = stored(it, serverOffset, { target, deleted: true });
  return rest;
};

describe('texts that are in the log', () => {
  it('L1 an edit costs one lookup, at a known head', () => {
    const outcome = converse({ items: [editA], knownHead: 4 }, [
      [targets(4, 'a'), [{ serverOffset: 2, deleted: false }]],
      [insert(stored(editA, 5, { target: 2 })), INSERTED],
    ]);
    expect(outcome).toMatchObject({ results: [appended(5)], pending: [] });
  });

  it('an edit of a deleted text is stored redacted', () => {
    converse({ items: [editA], knownHead: 4 }, [
      [targets(4, 'a'), [{ serverOffset: 2, deleted: true }]],
      [insert(blank(editA, 5, 2)), INSERTED],
    ]);
  });

  it('a lost race may have brought a deletion: targets are looked up again', () => {
    converse({ items: [editA], knownHead: 4 }, [
      [targets(4, 'a'), [{ serverOffset: 2, deleted: false }]],
      [insert(stored(editA, 5, { target: 2 })), duplicate('serverOffset')],
      [awaitHead(4), newest(5)],
      [targets(5, 'a'), [{ serverOffset: 2, deleted: true }]],
      [insert(blank(editA, 6, 2)), INSERTED],
    ]);
  });

  it('a deletion, also a second one, waits for its redaction; a later edit of the batch is redacted', () => {
    const again = deletion('d2', 'a');
    const outcome = converse({ items: [deleteA, editA, again], knownHead: 4 }, [
      [targets(4, 'a'), [{ serverOffset: 2, deleted: false }]],
      [
        insert(
          stored(deleteA, 5, { target: 2, pending: true }),
          blank(editA, 6, 2),
          stored(again, 7, { target: 2, pending: true }),
        ),
        INSERTED,
      ],
    ]);
    expect(outcome.pending.map(({ serverOffset }) => serverOffset)).toEqual([5, 7]);
  });

  it('if the deletion is refused, the later edit keeps its body', () => {
    converse({ items: [deleteA, editA], knownHead: 4 }, [
      [targets(4, 'a'), [{ serverOffset: 2, deleted: false }]],
      [
        insert(stored(deleteA, 5, { target: 2, pending: true }), blank(editA, 6, 2)),
        { tag: 'refused', inserted: 0, message: 'no' },
      ],
      [find(4, deleteA), [undefined]],
      [insert(stored(editA, 5, { target: 2 })), INSERTED],
    ]);
  });

  it('a deletion that was appended in an earlier attempt still redacts', () => {
    converse({ items: [deleteA, b, editA], knownHead: 4 }, [
      [targets(4, 'a'), [{ serverOffset: 2, deleted: false }]],
      [
        insert(stored(deleteA, 5, { target: 2, pending: true }), stored(b, 6), blank(editA, 7, 2)),
        { tag: 'refused', inserted: 1, message: 'no' },
      ],
      [find(5, b), [undefined]],
      [insert(blank(editA, 6, 2)), INSERTED],
    ]);
  });

  it('L4 it stops where the targets cannot be read', () => {
    const outcome = converse({ items: [editA], knownHead: 4 }, [[targets(4, 'a'), UNKNOWN]]);
    expect(outcome).toMatchObject({ results: [], head: undefined });
  });
});

describe('texts of the same batch', () => {
  it('are not looked up', () => {
    converse({ items: [a, editA], knownHead: 4 }, [
      [insert(stored(a, 5), stored(editA, 6, { target: 5 })), INSERTED],
    ]);
  });

  it('and their amendments move together to other serverOffsets', () => {
    converse({ items: [b, a, editA], knownHead: 4 }, [
      [insert(stored(b, 5), stored(a, 6), stored(editA, 7, { target: 6 })), duplicate('serverOffset', 1)],
      [awaitHead(5), newest(8)],
      [insert(stored(a, 9), stored(editA, 10, { target: 9 })), INSERTED],
    ]);
  });

  it('that are durable already keep their serverOffset, and are looked up when others have written', () => {
    converse({ items: [a, editA], knownHead: 4 }, [
      [insert(stored(a, 5), stored(editA, 6, { target: 5 })), duplicate('serverOffset', 1)],
      [awaitHead(5), newest(6)],
      [targets(6, 'a'), [{ serverOffset: 5, deleted: true }]],
      [insert(blank(editA, 7, 5)), INSERTED],
    ]);
  });

  it('L3 that are repeats keep their original serverOffset', () => {
    const outcome = converse({ items: [a, editA], knownHead: 4 }, [
      [insert(stored(a, 5), stored(editA, 6, { target: 5 })), duplicate('clientOffset')],
      [find(4, a, editA), [found(a, 2), undefined]],
      [targets(4, 'a'), [{ serverOffset: 2, deleted: false }]],
      [insert(stored(editA, 5, { target: 2 })), INSERTED],
    ]);
    expect(outcome.results).toEqual([repeat(2), appended(5)]);
  });

  it('that are refused cannot be targets', () => {
    const outcome = converse({ items: [a, editA], knownHead: 4 }, [
      [insert(stored(a, 5), stored(editA, 6, { target: 5 })), { tag: 'refused', inserted: 0, message: 'no' }],
      [find(4, a), [undefined]],
      [targets(4, 'a'), [undefined]],
      [find(4, editA), [undefined]],
    ]);
    expect(outcome.results).toEqual([{ tag: 'failed', message: 'no' }, { tag: 'no-target' }]);
  });

  it('that come later in the batch cannot be targets', () => {
    const outcome = converse({ items: [editA, a], knownHead: 4 }, [
      [targets(4, 'a'), [undefined]],
      [find(4, editA), [undefined]],
      [insert(stored(a, 5)), INSERTED],
    ]);
    expect(outcome.results).toEqual([{ tag: 'no-target' }, appended(5)]);
  });
});

describe('no target', () => {
  it('L3 the key comes first: with a used key it is a conflict', () => {
    const outcome = converse({ items: [editA, b], knownHead: 4 }, [
      [targets(4, 'a'), [undefined]],
      [find(4, editA), [found(text('e'), 3)]],
      [insert(stored(b, 5)), INSERTED],
    ]);
    expect(outcome.results).toEqual([{ tag: 'conflict' }, appended(5)]);
  });

  it('L5 delays no other item, and uses no serverOffset', () => {
    const outcome = converse({ items: [b, editA], knownHead: 4 }, [
      [targets(4, 'a'), [undefined]],
      [find(4, editA), [undefined]],
      [insert(stored(b, 5)), INSERTED],
    ]);
    expect(outcome.results).toEqual([appended(5), { tag: 'no-target' }]);
  });

  it('is not answered while the item with the key of the target may be refused and a text take its place', () => {
    const editAsA = { ...edit('a', 'b'), author: 'ann' };
    const outcome = converse({ items: [b, editAsA, a, editA], knownHead: 4 }, [
      [targets(4, 'a'), [undefined]],
      [
        insert(stored(b, 5), stored(editAsA, 6, { target: 5 })),
        { tag: 'refused', inserted: 1, message: 'no' },
      ],
      [find(5, editAsA), [undefined]],
      [insert(stored(a, 6), stored(editA, 7, { target: 6 })), INSERTED],
    ]);
    expect(outcome.results).toEqual([
      appended(5),
      { tag: 'failed', message: 'no' },
      appended(6),
      appended(7),
    ]);
  });
});

describe('kinds that only the table of kinds defines', () => {
  beforeAll(useTestKinds);
  afterAll(useProductKinds);

  const erase = (clientOffset: string, target: string, targetAuthor: string) =>
    item({ clientOffset, kind: 'test-erase', target, targetAuthor });
  const react = (clientOffset: string, target: string, targetAuthor: string) =>
    item({ clientOffset, kind: 'test-reaction', target, targetAuthor, content: { emoji: '👍' } });
  const note = item({ clientOffset: 'n', kind: 'test-message', content: { words: 'hello' } });
  const of = (author: string, clientOffset: string) => ({ author, clientOffset });
  const asks = (from: number, ...keys: { author: string; clientOffset: string }[]): Command => ({
    do: 'targets',
    room: ROOM,
    keys,
    from,
  });

  it('a target of another author is looked up by that author', () => {
    const items = [erase('e', 'a', 'bob'), react('r', 'b', 'bob')];
    const outcome = converse({ items, knownHead: 4 }, [
      [asks(4, of('bob', 'a'), of('bob', 'b')), [{ serverOffset: 2, deleted: false }, undefined]],
      [find(4, items[1]!), [undefined]],
      [insert(storedAs(items[0]!, 5, { target: 2, pending: true })), INSERTED],
    ]);
    expect(outcome.results).toEqual([appended(5), { tag: 'no-target' }]);
    expect(outcome.pending).toMatchObject([{ kind: 'test-erase', target: 2 }]);
  });

  it('a removal by another user redacts a later edit; a reaction keeps its content', () => {
    const items = [erase('e', 'a', 'bob'), { ...editA, author: 'bob' }, react('r', 'a', 'bob')];
    converse({ items, knownHead: 4 }, [
      [asks(4, of('bob', 'a')), [{ serverOffset: 2, deleted: false }]],
      [
        insert(
          storedAs(items[0]!, 5, { target: 2, pending: true }),
          blank(items[1]!, 6, 2),
          storedAs(items[2]!, 7, { target: 2 }),
        ),
        INSERTED,
      ],
    ]);
  });

  it('any message of the batch can be a target, and nothing else', () => {
    const silent = item({ clientOffset: 's', kind: 'test-silent', content: { value: 1 } });
    const items = [note, silent, react('r', 'n', 'ann'), react('q', 's', 'ann')];
    const outcome = converse({ items, knownHead: 4 }, [
      [asks(4, of('ann', 's')), [undefined]],
      [insert(stored(note, 5), stored(silent, 6), storedAs(items[2]!, 7, { target: 5 })), INSERTED],
      [find(7, items[3]!), [undefined]],
    ]);
    expect(outcome.results).toEqual([appended(5), appended(6), appended(7), { tag: 'no-target' }]);
  });

  it('an entry with a subject is stored with it, also in a repeat whose side effects are pending', () => {
    const removed = item({ clientOffset: 'r', kind: 'test-removed', subject: 'bob' });
    const outcome = converse({ items: [removed], knownHead: 4 }, [
      [insert(stored(removed, 5, { pending: true })), INSERTED],
    ]);
    expect(outcome.pending).toMatchObject([{ author: 'ann', subject: 'bob' }]);
    const again = converse({ items: [removed], knownHead: 4 }, [
      [insert(stored(removed, 5, { pending: true })), duplicate('clientOffset')],
      [find(4, removed), [found(removed, 3, { subject: 'bob', pending: true })]],
    ]);
    expect(again.pending).toMatchObject([{ serverOffset: 3, author: 'ann', subject: 'bob' }]);
  });

  function storedAs({ targetAuthor: _, ...it }: NewEntry, serverOffset: number, and: Partial<EntryDocument>) {
    return stored(it, serverOffset, and);
  }
});
