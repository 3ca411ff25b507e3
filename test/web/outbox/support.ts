import { APPEND_MAX_ITEMS } from '../../../shared/limits.ts';
import type { Item } from '../../../shared/protocol/index.ts';
import type { BatchLimits } from '../../../web/outbox/appendBatch.ts';
import { BATCH_BYTES } from '../../../web/records/pageLimits.ts';
import { type NewItem, newRow, type Row } from '../../../web/records/row.ts';

export const ROOM = 'lobby';

/** The limits of the first append. */
export const WHOLE_BATCH: BatchLimits = { items: APPEND_MAX_ITEMS, bytes: BATCH_BYTES };

/** A key that contains its number. */
export function key(n: number | string): string {
  return `${String(n).padEnd(21, '-').slice(0, 21)}A`;
}

export function text(n: number, body = `text ${n}`): Row & { kind: 'text' } {
  return { ...newRow({ kind: 'text', body, room: ROOM, clientOffset: key(n), at: n }), seq: n } as Row & {
    kind: 'text';
  };
}

export function edit(n: number, target: number): Row {
  return {
    ...newRow({
      kind: 'edit',
      body: `edit ${n}`,
      target: key(target),
      room: ROOM,
      clientOffset: key(n),
      at: n,
    }),
    seq: n,
  } as Row;
}

export function deletion(n: number, target: number): Row {
  const draft = { kind: 'delete', target: key(target), room: ROOM, clientOffset: key(n), at: n } as const;
  return { ...newRow(draft), seq: n } as Row;
}

export function parked(row: Row, uncertain = false): Row {
  return { ...row, attempted: true, state: { tag: 'parked', reason: { code: 'forbidden' }, uncertain } };
}

/** An item of any kind, as a version that knows the kind queues it. */
export function newItemOf({ room, clientOffset, kind, body, target, ...fields }: Item, at = 1): NewItem {
  const about =
    target === undefined
      ? {}
      : typeof target === 'string'
        ? { target }
        : { target: target.clientOffset, targetAuthor: target.author };
  const content = { ...(body === undefined ? {} : { body }), ...about };
  return { room, clientOffset, at, kind, ...content, ...(Object.keys(fields).length > 0 ? { fields } : {}) };
}

/** The same, with its `seq`. */
export function rowOf(
  seq: number,
  item: Omit<Item, 'room' | 'clientOffset' | 'kind'> & { kind: string; room?: string },
): Row {
  const { room = ROOM, kind, ...content } = item;
  return { ...newRow(newItemOf({ room, clientOffset: key(seq), kind, ...content }, seq)), seq } as Row;
}
