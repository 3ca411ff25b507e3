/**
 * What a client appends. An item is strict: an unknown kind or field is `invalid`, so that nothing is acknowledged and then
 * dropped. The table of kinds (../kinds.ts) says what each kind means.
 */
import * as v from 'valibot';
import { ClientOffset, RoomId } from '../ids.ts';

/** The fields that every item has. */
export const addressed = { room: RoomId, clientOffset: ClientOffset };

export const TextItem = v.strictObject({ ...addressed, kind: v.literal('text'), body: v.string() });
/** `target`: the clientOffset of a text of the author's own. */
export const EditItem = v.strictObject({
  ...addressed,
  kind: v.literal('edit'),
  target: ClientOffset,
  body: v.string(),
});
export const DeleteItem = v.strictObject({ ...addressed, kind: v.literal('delete'), target: ClientOffset });
export type KnownItem = v.InferOutput<typeof TextItem | typeof EditItem | typeof DeleteItem>;

/**
 * An item of any kind. `target`: a clientOffset, or, of a kind that may name anybody's message, with its author. All other
 * fields are the content of the kind.
 */
export interface Item {
  room: string;
  clientOffset: string;
  kind: string;
  body?: string;
  target?: string | ItemTarget;
  [field: string]: unknown;
}

export const ItemTarget = v.strictObject({ author: v.string(), clientOffset: ClientOffset });
export type ItemTarget = v.InferOutput<typeof ItemTarget>;

type ItemSchemas = ReadonlyMap<string, v.GenericSchema<unknown, Item>>;

const SCHEMAS: ItemSchemas = new Map<string, v.GenericSchema<unknown, Item>>([
  ['text', TextItem],
  ['edit', EditItem],
  ['delete', DeleteItem],
]);

let schemas = SCHEMAS;

/** By kind: the kinds that members may append. */
export function itemSchemas(): ItemSchemas {
  return schemas;
}

/** Replaces them, in tests. Undefined: the product's own. */
export function useItemSchemas(others: ItemSchemas | undefined): void {
  schemas = others ?? SCHEMAS;
}
