/**
 * A kind of every class that the table of kinds knows (shared/kinds.ts), for the tests of both sides: what a later version
 * brings goes all the way before there is one.
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
  /** Shown and counted, as a text is; its content is `words`. */
  'test-message': { by: 'member', message: true, target: 'none', effect: 'none' },
  /** Changes nothing that is shown; its content is `value`. */
  'test-silent': { by: 'member', message: false, target: 'none', effect: 'none' },
  /** To anybody's message; its content is `emoji`. */
  'test-reaction': { by: 'member', message: false, target: 'any', effect: 'aggregate' },
  /** Anybody deletes anybody's message. */
  'test-erase': { by: 'member', message: false, target: 'any', effect: 'remove' },
  /** Its author removed its subject from the room. */
  'test-removed': { by: 'server', message: false, target: 'none', effect: 'none', membership: 'left' },
  /** As `test-message`, of a feature that not every server has. */
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

/** The product's kinds and these, from now on, in this thread; ends with `useProductKinds`. */
export function useTestKinds(): void {
  useProductKinds();
  useKinds(new Map([...kinds(), ...Object.entries(RULES)]));
  useItemSchemas(new Map([...itemSchemas(), ...Object.entries(ITEMS)]));
}

export function useProductKinds(): void {
  useKinds(undefined);
  useItemSchemas(undefined);
}
