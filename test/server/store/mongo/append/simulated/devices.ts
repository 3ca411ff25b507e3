/** Devices: each has a queue, sends its oldest items to some writer, times out, and sends them again. */
import type { AppendOutcome, AppendResult, EntryKey, NewEntry } from '../../../../../../server/store/port.ts';
import type { Random } from '../../../../../support/random.ts';
import { POISON } from './server.ts';

export interface Device {
  readonly room: string;
  readonly queue: readonly Queued[];
  /** Undefined while it waits for an answer. */
  takeBatch(random: Random): Batch | undefined;
  /** The device has timed out; a late answer still counts. */
  abandon(): boolean;
  isDone(): boolean;
}

export interface Queued {
  item: NewEntry;
  result: AppendResult | undefined;
  wasRefused: boolean;
}

export interface Batch {
  room: string;
  items: NewEntry[];
  answer(outcome: AppendOutcome): void;
}

const BATCH_MAX = 5;

/** Several devices of one author, so that one may remove what another edits. */
export function createDevices(random: Random): Device[] {
  const rooms = random.int(0, 3) === 0 ? ['hot', 'warm'] : ['hot'];
  const authors = Array.from({ length: random.int(1, 2) }, (_, author) => `author${author}`);
  const amendments = random.pick([10, 35, 70]);
  return rooms.flatMap((room) => {
    const messages: Message[] = [];
    return authors.flatMap((author) =>
      Array.from({ length: random.int(1, 3) }, (_, device) =>
        createDevice(room, queueOf({ room, author, device, messages, amendments }, random)),
      ),
    );
  });
}

function createDevice(room: string, queue: Queued[]): Device {
  let waiting: object | undefined;

  return {
    room,
    queue,
    isDone: () => queue.every(({ result }) => result),

    takeBatch(random) {
      const first = queue.findIndex(({ result }) => !result);
      if (waiting || first < 0) return undefined;
      const part = queue.slice(first, first + random.int(1, BATCH_MAX)).filter(({ result }) => !result);
      const attempt = {};
      waiting = attempt;
      return {
        room,
        items: part.map(({ item }) => item),
        answer({ results }) {
          for (const [i, result] of results.entries()) settle(part[i]!, result);
          if (waiting === attempt) waiting = undefined;
        },
      };
    },

    abandon() {
      if (!waiting) return false;
      waiting = undefined;
      return true;
    },
  };
}

function settle(queued: Queued, result: AppendResult): void {
  queued.result ??= result;
  if (result.tag !== 'appended' && result.tag !== 'repeat') queued.wasRefused = true;
}

/** The author of a key. */
export function deviceOf(clientOffset: string): string {
  return clientOffset.split('.')[0]!;
}

interface Owner {
  room: string;
  author: string;
  device: number;
  /** All items that devices have queued for the room so far. */
  messages: Message[];
  /** Percent of the items. */
  amendments: number;
}

interface Message {
  author: string;
  clientOffset: string;
}

function queueOf(owner: Owner, random: Random): Queued[] {
  const items: NewEntry[] = [];
  const length = random.int(3, 10);
  while (items.length < length) items.push(itemOf(owner, items, random));
  return items.map((item) => ({ item, result: undefined, wasRefused: false }));
}

function itemOf(owner: Owner, before: readonly NewEntry[], random: Random): NewEntry {
  const { room, author, device, messages } = owner;
  const clientOffset = `${device}.${before.length}`;
  const key = { room, author, clientOffset };
  const body = `of ${clientOffset}`;
  if (messages.length > 0 && random.int(0, 99) < owner.amendments) return amendment(key, owner, random);
  const earlier = before.filter(({ kind, body }) => kind === 'text' && body !== POISON);
  const dice = random.int(0, 99);
  if (dice < 8) return entry({ ...key, kind: 'text', body: POISON });
  if (dice < 16 && earlier.length > 0) return random.pick(earlier);
  if (dice < 24 && earlier.length > 0) return other(random.pick(earlier), random);
  if (dice < 30) return entry({ ...key, kind: random.pick(['join', 'leave']) });
  if (dice < 36) return entry({ ...key, kind: 'expulsion', subject: random.pick(['ann', 'bob']) });
  messages.push({ author, clientOffset });
  return random.int(0, 3) === 0
    ? entry({ ...key, kind: 'sticker', content: { shows: body } })
    : entry({ ...key, kind: 'text', body });
}

/** Few messages with many amendments, because races are there. */
function amendment(key: EntryKey, { author, messages }: Owner, random: Random): NewEntry {
  const body = `of ${key.clientOffset}`;
  const own = messages.filter((message) => message.author === author);
  if (own.length > 0 && random.int(0, 2) > 0) {
    const target = random.int(0, 15) === 0 ? 'nothing' : random.pick(own.slice(0, 3)).clientOffset;
    return random.int(0, 2) === 0
      ? entry({ ...key, kind: 'delete', target })
      : entry({ ...key, kind: 'edit', body, target });
  }
  const some = random.pick(messages.slice(0, 3));
  const target = random.int(0, 15) === 0 ? 'nothing' : some.clientOffset;
  const kind = random.pick(['takedown', 'correction', 'reaction']);
  return entry({
    ...key,
    kind,
    target,
    targetAuthor: some.author,
    ...(kind !== 'takedown' && { content: { says: body } }),
  });
}

/** Other content with the same key. */
function other({ room, author, clientOffset }: NewEntry, random: Random): NewEntry {
  return random.int(0, 1) === 0
    ? entry({ room, author, clientOffset, kind: 'text', body: 'other' })
    : entry({ room, author, clientOffset, kind: 'edit', body: 'other', target: 'nothing' });
}

/** The digest contains the intended content, so that the witness can check it. */
function entry(item: Omit<NewEntry, 'digest'>): NewEntry {
  const { kind, body = '', target = '', targetAuthor = target && item.author, subject = '' } = item;
  return { ...item, digest: [kind, body, target, targetAuthor, subject].join('|') };
}
