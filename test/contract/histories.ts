/** Random histories against the model. A failure prints the seed and the shortest history that shows it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Committed, NewEntry, Store } from '../../server/store/port.ts';
import { ModelLog } from './model.ts';
import {
  type Harness,
  inDatabase,
  item,
  type Listener,
  listen,
  newId,
  newRoom,
  wholeLog,
} from './support.ts';

const RUNS = 100;
const MAX_OPERATIONS = 60;

/** `pick` chooses among what was said before; the numbers choose among this history's rooms and people. */
interface Said {
  tag: 'text' | 'edit' | 'delete' | 'join' | 'leave' | 'repeat' | 'conflict' | 'poisoned' | 'no-room';
  room: number;
  author: number;
  pick: number;
}
type Operation =
  | { tag: 'append'; batch: Said[] }
  | { tag: 'range'; room: number; from: number; length: number }
  | { tag: 'reopen' };

const said: fc.Arbitrary<Said> = fc.record({
  tag: fc.oneof(
    ...(
      [
        'text',
        'text',
        'text',
        'edit',
        'edit',
        'delete',
        'join',
        'leave',
        'repeat',
        'conflict',
        'poisoned',
        'no-room',
      ] as const
    ).map((tag) => fc.constant(tag)),
  ),
  room: fc.nat({ max: 1 }),
  author: fc.nat({ max: 1 }),
  pick: fc.nat({ max: 7 }),
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({
      tag: fc.constant('append' as const),
      batch: fc.array(said, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({
      tag: fc.constant('range' as const),
      room: fc.nat({ max: 1 }),
      from: fc.integer({ min: 1, max: 40 }),
      length: fc.nat({ max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ tag: 'reopen' as const }) },
);

export function historyCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('L1 L2 L3 any history of appends, reads and reopenings is that of the model', {
    timeout: 60_000,
  }, async () => {
    const histories = fc.array(operation, { minLength: 1, maxLength: MAX_OPERATIONS, size: 'max' });
    await fc.assert(
      fc.asyncProperty(histories, (operations) => play(db.harness, operations)),
      {
        numRuns: RUNS,
        interruptAfterTimeLimit: 30_000,
        endOnFailure: false,
      },
    );
  });
}

async function play(harness: Harness, operations: readonly Operation[]): Promise<void> {
  const rooms = [await newRoom(harness.store), await newRoom(harness.store)];
  const people = [newId(), newId()];
  const model = new ModelLog(rooms);
  const before: NewEntry[] = [];
  const seen: Committed[] = [];
  let tail = await listen(harness.store);

  for (const [index, operation] of operations.entries()) {
    switch (operation.tag) {
      case 'append': {
        const batch = operation.batch.map((one) => itemOf(one, { rooms, people, before, harness }));
        const at = 1_000 + index;
        const expected = batch.map(({ entry, isPoisoned }) => model.append(entry, at, isPoisoned));
        const { results, stopped } = await harness.store.log.append(
          batch.map(({ entry }) => entry),
          at,
        );
        expect(stopped).toBeUndefined();
        expect(
          results.map((result) => (result.tag === 'failed' ? { ...result, message: '' } : result)),
        ).toEqual(expected);
        break;
      }
      case 'range': {
        const room = rooms[operation.room]!;
        const to = operation.from + operation.length;
        const read = await harness.store.log.range(room, operation.from, to, 1_000_000);
        const entries = model.entries(room).slice(operation.from - 1, to);
        const last = entries.at(-1)?.serverOffset;
        const amendments = last === undefined ? [] : model.amendments(room, operation.from, last);
        expect(read).toEqual({ entries, amendments, head: model.entries(room).length });
        break;
      }
      case 'reopen':
        await heard(tail, seen, model);
        await harness.reopen();
        tail = await listen(harness.store, tail.point());
    }
  }
  await heard(tail, seen, model);
  await sameAs(model, harness.store, people, seen);
}

/** Waits until the tail has told of everything, then takes it over. */
async function heard(tail: Listener, seen: Committed[], model: ModelLog): Promise<void> {
  const all = [...model.rooms.values()].reduce((sum, log) => sum + log.length, 0);
  await tail.count(all - seen.length);
  await tail.close();
  seen.push(...tail.seen);
}

async function sameAs(model: ModelLog, store: Store, people: string[], seen: Committed[]): Promise<void> {
  for (const [room, log] of model.rooms) {
    expect(await wholeLog(store, room)).toEqual(model.entries(room));
    const shown = seen.filter((committed) => committed.room === room).map(({ entry }) => entry.serverOffset);
    expect(shown).toEqual(log.map(({ serverOffset }) => serverOffset));
    const present = await Promise.all(people.map((person) => store.rooms.isMember(room, person)));
    expect(present).toEqual(people.map((person) => model.members(room).has(person)));
    expect((await store.rooms.byId(room))?.members).toBe(model.members(room).size);
    const originals = log.map(({ serverOffset, at, item: { digest } }) => ({ serverOffset, at, digest }));
    expect(await store.log.find(log.map((record) => record.item))).toEqual(originals);
  }
}

interface Scene {
  rooms: string[];
  people: string[];
  before: NewEntry[];
  harness: Harness;
}

/** Repeats and targets are taken from anything said before, whoever said it and wherever. */
function itemOf(
  one: Said,
  { rooms, people, before, harness }: Scene,
): { entry: NewEntry; isPoisoned: boolean } {
  const key = { room: rooms[one.room]!, author: people[one.author]!, clientOffset: newId() };
  const earlier = before.at(-1 - one.pick) ?? before.at(0);
  const body = `${one.tag} ${before.length}`;
  const entry = ((): NewEntry => {
    switch (one.tag) {
      case 'edit':
        return item(key, { kind: 'edit', target: earlier?.clientOffset ?? newId(), body });
      case 'delete':
        return item(key, { kind: 'delete', target: earlier?.clientOffset ?? newId() });
      case 'join':
      case 'leave':
        return item(key, { kind: one.tag });
      case 'repeat':
        return earlier ?? item(key, { kind: 'text', body });
      case 'conflict':
        return item(earlier ?? key, { kind: 'text', body });
      case 'poisoned':
        return harness.poisoned(key);
      case 'no-room':
        return item({ ...key, room: newId() }, { kind: 'text', body });
      case 'text':
        return item(key, { kind: 'text', body });
    }
  })();
  if (one.tag !== 'poisoned') before.push(entry);
  return { entry, isPoisoned: one.tag === 'poisoned' };
}
