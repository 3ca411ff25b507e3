/**
 * Items: what a client appends. Their schemas are strict: an unknown kind or field is `invalid`, so that the server never
 * acknowledges something that it drops. What each kind means is in the table of kinds (../kinds.ts).
 */
import * as v from 'valibot';
import { canonicalEmoji, isEmoji } from '../emoji.ts';
import type { Mention } from '../entry.ts';
import { ClientOffset, Id, RoomId, UserId } from '../ids.ts';
import { EMOJI_MAX_LENGTH, MENTION_NAME_MAX_LENGTH, MENTIONS_MAX } from '../limits.ts';

/** The fields of every item. */
export const addressed = { room: RoomId, clientOffset: ClientOffset };

/** Marked for the bundler: otherwise spreads of items that the service worker does not parse would stay in it. */
/* @__NO_SIDE_EFFECTS__ */
function itemWith<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject({ ...addressed, ...entries });
}

/** Anybody's message. */
export const ItemTarget = v.strictObject({ author: UserId, clientOffset: ClientOffset });
export type ItemTarget = v.InferOutput<typeof ItemTarget>;

/** The text has `@` and this name, as the person had it then. Their name may change; the id does not. */
export const MentionItem = v.strictObject({
  user: UserId,
  name: v.pipe(v.string(), v.nonEmpty('is empty'), v.maxLength(MENTION_NAME_MAX_LENGTH, 'is too long')),
});

/** `replyTo`: the message that it answers, anybody's. It need not be in the log. `mentions`: members of the room. */
export const TextItem = itemWith({
  kind: v.literal('text'),
  body: v.string(),
  replyTo: v.optional(ItemTarget),
  mentions: v.optional(
    v.pipe(v.array(MentionItem), v.nonEmpty('is empty'), v.maxLength(MENTIONS_MAX, 'has too many people')),
  ),
});
/** `target`: the clientOffset of one of the author's own texts. */
export const EditItem = itemWith({
  kind: v.literal('edit'),
  target: ClientOffset,
  body: v.string(),
});
export const DeleteItem = itemWith({ kind: v.literal('delete'), target: ClientOffset });
/** `on`: false takes back one's own reaction with this emoji. */
export const ReactionItem = itemWith({
  kind: v.literal('reaction'),
  target: ItemTarget,
  emoji: v.pipe(
    v.string(),
    v.maxLength(EMOJI_MAX_LENGTH, 'is too long'),
    v.transform(canonicalEmoji),
    v.check(isEmoji, 'is no emoji'),
  ),
  on: v.boolean(),
});
/** A moderator deletes anybody's message. */
export const TakedownItem = itemWith({ kind: v.literal('takedown'), target: ItemTarget });
/** Makes a room, under an id that the device has made. `room` is no room that everybody has, and no direct conversation. */
export const CreateItem = itemWith({
  kind: v.literal('create'),
  room: Id,
  roomKind: v.picklist(['public', 'private']),
  name: v.string(),
  /** Only owners and moderators write in it. */
  announcements: v.optional(v.literal(true)),
});
export type KnownItem = v.InferOutput<typeof TextItem | typeof EditItem | typeof DeleteItem>;

/**
 * An item of any kind. `target`: a clientOffset; for kinds that may name anybody's message, with its author. Further fields
 * are the content of the kind.
 */
export interface Item {
  room: string;
  clientOffset: string;
  kind: string;
  body?: string;
  target?: string | ItemTarget;
  replyTo?: ItemTarget | undefined;
  mentions?: readonly Mention[] | undefined;
  [field: string]: unknown;
}

type ItemSchemas = ReadonlyMap<string, v.GenericSchema<unknown, Item>>;

const SCHEMAS: ItemSchemas = new Map<string, v.GenericSchema<unknown, Item>>([
  ['text', TextItem],
  ['edit', EditItem],
  ['delete', DeleteItem],
  ['reaction', ReactionItem],
  ['takedown', TakedownItem],
  ['create', CreateItem],
]);

let schemas = SCHEMAS;

/** The schemas by kind, of the kinds that members may append. */
export function itemSchemas(): ItemSchemas {
  return schemas;
}

/** Replaces the schemas, in tests. Undefined restores the built-in ones. */
export function useItemSchemas(others: ItemSchemas | undefined): void {
  schemas = others ?? SCHEMAS;
}
