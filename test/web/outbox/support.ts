import { APPEND_MAX_ITEMS, BATCH_BYTES } from '../../../shared/limits.ts';
import type { Limits } from '../../../web/outbox/batch.ts';
import type { Row } from '../../../web/outbox/row.ts';
import { newRow } from '../../../web/outbox/row.ts';

export const ROOM = 'lobby';

/** As the first append may be. */
export const WHOLE_BATCH: Limits = { items: APPEND_MAX_ITEMS, bytes: BATCH_BYTES };

/** A key that reads as its number. */
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
