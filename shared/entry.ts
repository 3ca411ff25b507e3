/** One record of a room's log, as everybody sees it. The room is the frame's. */
import * as v from 'valibot';
import { ClientOffset, UserId } from './ids.ts';
import { KNOWN_KINDS } from './kinds.ts';

export const Offset = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
export const Head = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const Millis = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const common = { serverOffset: Offset, author: UserId, clientOffset: ClientOffset, at: Millis };
/** Blanked by a deletion: the content is gone, the place stays. */
const blankable = { body: v.optional(v.string()), deleted: v.optional(v.literal(true)) };

export const TextEntry = v.object({ ...common, kind: v.literal('text'), ...blankable });
export const EditEntry = v.object({ ...common, kind: v.literal('edit'), target: Offset, ...blankable });
export const DeleteEntry = v.object({ ...common, kind: v.literal('delete'), target: Offset });
export const JoinEntry = v.object({ ...common, kind: v.literal('join') });
export const LeaveEntry = v.object({ ...common, kind: v.literal('leave') });
/** A kind this version does not know: kept as it came. */
export const OtherEntry = v.looseObject({ ...common, kind: v.string() });

export const KnownEntry = v.variant('kind', [TextEntry, EditEntry, DeleteEntry, JoinEntry, LeaveEntry]);

export const Entry = v.lazy((input: unknown) =>
  isRecord(input) && typeof input.kind === 'string' && !KNOWN_KINDS.has(input.kind) ? OtherEntry : KnownEntry,
);

export type KnownEntry = v.InferOutput<typeof KnownEntry>;
export type OtherEntry = v.InferOutput<typeof OtherEntry>;
export type Entry = KnownEntry | OtherEntry;
export type EntryKind = KnownEntry['kind'];
/** An entry that changes another: `target` is that one's serverOffset. */
export type Amendment = v.InferOutput<typeof EditEntry> | v.InferOutput<typeof DeleteEntry>;

function isRecord(value: unknown): value is { kind?: unknown } {
  return typeof value === 'object' && value !== null;
}
