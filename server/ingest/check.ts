/** Is this item one? Parses it, makes its text uniform, and gives it its key and digest. Pure but for the hash. */
import * as v from 'valibot';
import { ClientOffset, RoomId } from '../../shared/ids.ts';
import { Item, type WireError } from '../../shared/protocol/index.ts';
import { checkBody } from '../../shared/text.ts';
import { wireError } from '../refusal.ts';
import type { EntryKey, NewEntry } from '../store/port.ts';
import { digest } from './digest.ts';

export type CheckedItem =
  | { tag: 'good'; entry: NewEntry }
  /** `key` is there when it could be read: a repeat is answered as such whatever else is wrong with it (L3). */
  | { tag: 'bad'; clientOffset: string; key: EntryKey | undefined; error: WireError };

export function checkItem(author: string, raw: unknown): CheckedItem {
  const parsed = v.safeParse(Item, raw);
  if (!parsed.success)
    return bad(author, raw, wireError('invalid', `This is no item: ${v.summarize(parsed.issues)}`));
  const item = parsed.output;
  const key = { room: item.room, author, clientOffset: item.clientOffset };
  if (item.kind === 'delete') return good({ ...key, kind: item.kind, target: item.target });
  const checked = checkBody(item.body);
  if (!checked.ok) return bad(author, raw, wireError(checked.code, checked.message));
  const body = checked.text;
  return item.kind === 'edit'
    ? good({ ...key, kind: item.kind, target: item.target, body })
    : good({ ...key, kind: item.kind, body });
}

function good(entry: Omit<NewEntry, 'digest'>): CheckedItem {
  return { tag: 'good', entry: { ...entry, digest: digest(entry) } };
}

const Key = v.object({ room: RoomId, clientOffset: ClientOffset });
const Named = v.object({ clientOffset: v.string() });

function bad(author: string, raw: unknown, error: WireError): CheckedItem {
  const key = v.safeParse(Key, raw);
  const named = v.safeParse(Named, raw);
  const clientOffset = named.success ? named.output.clientOffset.slice(0, 100) : '';
  return { tag: 'bad', clientOffset, key: key.success ? { ...key.output, author } : undefined, error };
}
