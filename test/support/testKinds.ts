/**
 * Test kinds: one of every class in the table of kinds (shared/kinds.ts), for tests of server and page. They show that kinds of
 * a later version will work end to end.
 */
import * as v from 'valibot';
import { ClientOffset } from '../../shared/ids.ts';
import { type KindRule, kinds, useKinds } from '../../shared/kinds.ts';
import {
  addressed,
  type Item,
  ItemTarget,
  itemSchemas,
  useItemSchemas,
} from '../../shared/protocol/items.ts';

/** The feature that an item of the kind `test-new` needs. */
export const TEST_FEATURE = 'test-new';

const RULES: Readonly<Record<string, KindRule>> = {
  /** Shown and counted like a text; its content is `words`. */
  'test-message': { by: 'member', message: true, target: 'none', effect: 'none' },
  /** Not shown; its content is `value`. */
  'test-silent': { by: 'member', message: false, target: 'none', effect: 'none' },
  /** Targets anybody's message; its content is `emoji`. */
  'test-reaction': { by: 'member', message: false, target: 'any', effect: 'aggregate' },
  /** Deletes anybody's message. */
  'test-erase': { by: 'member', message: false, target: 'any', effect: 'remove' },
  /** The author removed the subject from the room. */
  'test-removed': { by: 'server', message: false, target: 'none', effect: 'none', membership: 'left' },
  /** Like `test-message`, but requires a feature that not every server has. */
  [TEST_FEATURE]: { by: 'member', message: true, target: 'none', effect: 'none', feature: TEST_FEATURE },
};

const target = v.union([ClientOffset, ItemTarget]);
const words = v.string();

const ITEMS: Readonly<Record<string, v.GenericSchema<unknown, Item>>> = {
  'test-message': v.strictObject({ ...addressed, kind: v.literal('test-message'), words }),
  'test-silent': v.strictObject({ ...addressed, kind: v.literal('test-silent'), value: v.unknown() }),
  'test-reaction': v.strictObject({
    ...addressed,
    kind: v.literal('test-reaction'),
    target,
    emoji: v.string(),
  }),
  'test-erase': v.strictObject({ ...addressed, kind: v.literal('test-erase'), target }),
  [TEST_FEATURE]: v.strictObject({ ...addressed, kind: v.literal(TEST_FEATURE), words }),
};

/** Adds the test kinds to the built-in ones in this thread, until `useProductKinds`. */
export function useTestKinds(): void {
  useProductKinds();
  useKinds(new Map([...kinds(), ...Object.entries(RULES)]));
  useItemSchemas(new Map([...itemSchemas(), ...Object.entries(ITEMS)]));
}

export function useProductKinds(): void {
  useKinds(undefined);
  useItemSchemas(undefined);
}
