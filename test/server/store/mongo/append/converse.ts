/** Runs the algorithm by hand: the commands that it must issue, in order, and the replies it gets. */
import { expect } from 'vitest';
import { appendToRoom, type RoomOutcome } from '../../../../../server/store/mongo/append/appendToRoom.ts';
import type {
  Command,
  EntryDocument,
  FoundEntry,
  Reply,
  RoomHead,
} from '../../../../../server/store/mongo/append/commands.ts';
import type { NewEntry } from '../../../../../server/store/port.ts';

export const ROOM = 'room';
const AT = 1_000;

interface Led {
  items: NewEntry[];
  /** A number: the serverOffset of an entry with the earliest time. */
  knownHead?: number | RoomHead;
}

export function converse({ items, knownHead: known }: Led, talk: readonly [Command, Reply][]): RoomOutcome {
  const knownHead = typeof known === 'number' ? newest(known) : known;
  const steps = appendToRoom({ room: ROOM, exists: true, items, at: AT, knownHead });
  let step = steps.next();
  for (const [command, reply] of talk) {
    expect(step.value).toEqual(command);
    step = steps.next(reply);
  }
  if (!step.done) throw new Error(`it asks more: ${JSON.stringify(step.value)}`);
  return step.value;
}

export function text(clientOffset: string, body = `body of ${clientOffset}`): NewEntry {
  return item({ clientOffset, kind: 'text', body });
}

export function edit(clientOffset: string, target: string): NewEntry {
  return item({ clientOffset, kind: 'edit', body: `body of ${clientOffset}`, target });
}

export function deletion(clientOffset: string, target: string): NewEntry {
  return item({ clientOffset, kind: 'delete', target });
}

export function item(it: Omit<NewEntry, 'room' | 'author' | 'digest'>): NewEntry {
  return { room: ROOM, author: 'ann', ...it, digest: `${it.kind} ${it.body} ${it.target}` };
}

/** The document of an item. `and`: the fields that differ from the item. */
export function stored(
  { target: _, ...it }: NewEntry,
  serverOffset: number,
  and: Partial<EntryDocument> = {},
): EntryDocument {
  return { ...it, serverOffset, at: AT, ...and };
}

export function insert(...documents: EntryDocument[]): Command {
  return { do: 'insert', documents };
}

export function find(from: number, ...items: NewEntry[]): Command {
  return { do: 'find', room: ROOM, keys: items.map(keyIn), from };
}

export function targets(from: number, ...clientOffsets: string[]): Command {
  return {
    do: 'targets',
    room: ROOM,
    keys: clientOffsets.map((clientOffset) => ({ author: 'ann', clientOffset })),
    from,
  };
}

export function head(from: number): Command {
  return { do: 'head', room: ROOM, from };
}

/** A head as a reply. */
export function newest(serverOffset: number, at = 0): RoomHead {
  return { serverOffset, at };
}

export function awaitHead(beyond: number, atMostMs = 4): Command {
  return { do: 'await-head', room: ROOM, beyond, atMostMs };
}

/** An item as a stored original, with an early time. */
export function found(
  { kind, digest }: Pick<NewEntry, 'kind' | 'digest'>,
  serverOffset: number,
  and: Partial<FoundEntry> = {},
): FoundEntry {
  return { serverOffset, at: 7, digest, kind, ...and };
}

export const INSERTED: Reply = { tag: 'inserted' };
export const UNKNOWN: Reply = { tag: 'unknown', message: 'the connection was lost' };

export function duplicate(of: 'serverOffset' | 'clientOffset', inserted = 0): Reply {
  return { tag: 'duplicate', inserted, of };
}

export function appended(serverOffset: number, at = AT) {
  return { tag: 'appended', serverOffset, at };
}

export function repeat(serverOffset: number, at = 7) {
  return { tag: 'repeat', serverOffset, at };
}

function keyIn({ author, clientOffset }: NewEntry) {
  return { author, clientOffset };
}
