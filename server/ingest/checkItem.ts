/**
 * Validates one item of an `append` and turns it into an entry for the store: strict schema, normalized text, digest. Pure.
 * An unknown kind or field is `invalid`, so that nothing is acknowledged and then dropped.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { ClientOffset, RoomId } from '../../shared/ids.ts';
import { makesRoom, ruleOf } from '../../shared/kinds.ts';
import { type Item, itemSchemas, type WireError } from '../../shared/protocol/index.ts';
import { checkBody, checkNewName } from '../../shared/text.ts';
import { parseUpToFault } from '../base/parse.ts';
import { wireError } from '../base/refusal.ts';
import type { EntryKey, NewEntry, OwnFields } from '../store/port.ts';

export type CheckedItem =
  | { tag: 'good'; entry: NewEntry }
  /** `key`: if it could be parsed. A repeat is answered as a repeat, whatever else is wrong with the item (L3). */
  | { tag: 'bad'; clientOffset: string; key: EntryKey | undefined; error: WireError };

export function checkItem(author: string, raw: unknown): CheckedItem {
  const { kind } = Object(raw) as { kind?: unknown };
  const schema = typeof kind === 'string' ? itemSchemas().get(kind) : undefined;
  if (!schema || ruleOf(kind as string)?.by !== 'member')
    return bad(author, raw, wireError('invalid', 'This server does not accept items of this kind.'));
  const parsed = parseUpToFault(schema, raw);
  if (!parsed.ok) return bad(author, raw, wireError('invalid', `This is not a valid item: ${parsed.fault}.`));
  const { body: rawBody, ...item } = parsed.value;
  if (makesRoom(item.kind)) {
    const name = checkNewName(String(item.name));
    if (!name.ok) return bad(author, raw, wireError(name.code, name.message));
    item.name = name.text;
  }
  if (rawBody === undefined) return { tag: 'good', entry: entryOf(author, item) };
  const checked = checkBody(rawBody);
  if (!checked.ok) return bad(author, raw, wireError(checked.code, checked.message));
  return { tag: 'good', entry: entryOf(author, { ...item, body: checked.text }) };
}

/** An entry that the server itself writes, such as a join. */
export function ownEntry(key: EntryKey, kind: string, fields: OwnFields = {}): NewEntry {
  return withDigest({ ...key, kind, ...fields });
}

function entryOf(author: string, { room, clientOffset, kind, body, target, ...content }: Item): NewEntry {
  const names = target ?? content.replyTo;
  // whose message it is: whoever lacks it does not know otherwise whether it was an own one
  const subject = ruleOf(kind)?.effect === 'remove' && typeof names === 'object' ? names.author : undefined;
  return withDigest({
    room,
    author,
    clientOffset,
    kind,
    ...(subject === undefined ? {} : { subject }),
    ...(body === undefined ? {} : { body }),
    ...(names === undefined
      ? {}
      : typeof names === 'string'
        ? { target: names }
        : { target: names.clientOffset, targetAuthor: names.author }),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  });
}

/** The indentation is not hashed: earlier servers stored a body without it, and a repeat of such an entry must be one (L3). */
function withDigest(entry: Omit<NewEntry, 'digest'>): NewEntry {
  const { body } = entry;
  return { ...entry, digest: digestOf(body === undefined ? entry : { ...entry, body: body.trim() }) };
}

/**
 * Hash of an item's content, by which a repeat (same key, same content) differs from a conflict (same key, other content).
 * Of the content as its author wrote it: the target by its key, the body normalized. The clientOffset is the salt, so that
 * equal texts have different digests. Fields other than clientOffset, kind, target and body are hashed only if present,
 * sorted by name: entries keep their digests when kinds gain fields. 128 bits, base64url.
 */
export function digestOf({
  clientOffset,
  kind,
  target,
  body,
  targetAuthor,
  subject,
  content,
}: Omit<NewEntry, 'digest' | 'room' | 'author'>): string {
  const first = [clientOffset, kind, target ?? null, body ?? null];
  const present = Object.entries({ targetAuthor, subject, content }).filter(
    ([, value]) => value !== undefined,
  );
  const all = present.length === 0 ? first : [...first, sorted(Object.fromEntries(present))];
  return createHash('sha256').update(JSON.stringify(all)).digest('base64url').slice(0, 22);
}

/** The same JSON value with the keys of all its objects sorted. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted((value as Record<string, unknown>)[name])]));
}

const Key = v.object({ room: RoomId, clientOffset: ClientOffset });
const Named = v.object({ clientOffset: v.string() });

function bad(author: string, raw: unknown, error: WireError): CheckedItem {
  const key = v.safeParse(Key, raw);
  const named = v.safeParse(Named, raw);
  const clientOffset = named.success ? named.output.clientOffset.slice(0, 22) : '';
  return { tag: 'bad', clientOffset, key: key.success ? { ...key.output, author } : undefined, error };
}
