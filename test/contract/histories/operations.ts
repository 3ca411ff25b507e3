/** The steps of random histories. Numbers choose among the stores, rooms, users and earlier items. */
import fc from 'fast-check';

export type Step =
  /** Concurrent actions; or a single one. */
  | { tag: 'actions'; actions: Action[] }
  /** A process dies right after it committed this item. */
  | { tag: 'interrupted'; said: Said }
  | { tag: 'reopen' };

export type Action =
  | { tag: 'append'; store: number; batch: Said[] }
  | { tag: 'range'; store: number; room: number; from: number; length: number }
  | { tag: 'mark'; store: number; room: number; person: number; upTo: number };

/** `pick` counts back from the newest item: repeats, conflicts and targets refer to any earlier item, of any author. */
export interface Said {
  tag: (typeof SAID)[number];
  room: number;
  author: number;
  pick: number;
}

const SAID = [
  ...(['text', 'text', 'text', 'reply', 'edit', 'edit', 'delete', 'join', 'leave'] as const),
  ...(['repeat', 'repeat', 'conflict', 'poisoned', 'no-room'] as const),
] as const;

/** Plain objects, because a failed history is printed. */
function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const MAX_STEPS = 40;
const MAX_AT_ONCE = 4;

const store = fc.nat({ max: 2 });
const room = fc.nat({ max: 1 });
const person = fc.nat({ max: 1 });

const saying = (...tags: Said['tag'][]): fc.Arbitrary<Said> =>
  record({ tag: fc.constantFrom(...tags), room, author: person, pick: fc.nat({ max: 7 }) });

const append = record({
  tag: fc.constant('append' as const),
  store,
  batch: fc.array(saying(...SAID), { minLength: 1, maxLength: 6 }),
});

const range = record({
  tag: fc.constant('range' as const),
  store,
  room,
  from: fc.integer({ min: 1, max: 40 }),
  length: fc.nat({ max: 20 }),
});

const mark = record({
  tag: fc.constant('mark' as const),
  store,
  room,
  person,
  upTo: fc.nat({ max: 30 }),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: append },
  { weight: 5, arbitrary: range },
  { weight: 1, arbitrary: mark },
);

const actions = (maxLength: number): fc.Arbitrary<Step> =>
  record({
    tag: fc.constant('actions' as const),
    actions: fc.array(action, { minLength: 1, maxLength, size: 'max' }),
  });

const interrupted = record({
  tag: fc.constant('interrupted' as const),
  said: saying('delete', 'delete', 'join', 'leave'),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: actions(1) },
  { weight: 30, arbitrary: actions(MAX_AT_ONCE) },
  { weight: 4, arbitrary: interrupted },
  { weight: 1, arbitrary: fc.constant({ tag: 'reopen' as const }) },
);

export const history: fc.Arbitrary<Step[]> = fc.array(step, {
  minLength: 1,
  maxLength: MAX_STEPS,
  size: 'max',
});
