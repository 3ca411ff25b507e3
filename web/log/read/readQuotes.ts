/** What replies quote of messages outside the window. In the engine's chunk: the first paint shows the place of a quote only. */
import type { Entry, MessageKey } from '../../../shared/entry.ts';
import { fold, type Line } from '../../../shared/fold.ts';
import type { UserRead } from '../../db/userDatabase.ts';
import type { HeldEntry } from '../../records/storedRecords.ts';
import { entriesAbout, entryAt } from './findOwnText.ts';

/** A message that a reply answers, with its serverOffset if it was in the log then. `by`: the serverOffset of the reply. */
export interface AnsweredMessage extends MessageKey {
  serverOffset: number | undefined;
  by: number | undefined;
}

/** By serverOffset: the messages as they stand by all that is stored. Without those of which nothing is. */
export async function readQuotes(
  tx: UserRead,
  room: string,
  answered: readonly AnsweredMessage[],
): Promise<Map<number, Line>> {
  const lines = await Promise.all(answered.map((one) => readQuote(tx, room, one)));
  return new Map(lines.flatMap((line) => (line ? [[line.serverOffset, line] as const] : [])));
}

/** By the message itself, the quote that came with the reply, and amendments of both. */
async function readQuote(
  tx: UserRead,
  room: string,
  { author, clientOffset, serverOffset, by }: AnsweredMessage,
): Promise<Line | undefined> {
  if (serverOffset === undefined) return undefined;
  const reply: Partial<HeldEntry> | undefined = by === undefined ? undefined : await entryAt(tx, room, by);
  const quoted = reply?.quote;
  const { body, replacedBy } = quoted ?? {};
  const text = { author, clientOffset, serverOffset, at: 0, kind: 'text', body };
  const quote = quoted && (body === undefined ? { ...text, deleted: true as const } : text);
  const held = await entryAt(tx, room, serverOffset);
  // a row's serverOffset may be of a log that was restored since
  const isIt = held?.author === author && held.clientOffset === clientOffset;
  const entry = isIt && !(quoted && body === undefined) ? held : quote;
  if (!entry) return undefined;
  const about = await entriesAbout(tx, room, serverOffset);
  const replaced = { ...text, kind: 'edit', target: serverOffset, serverOffset: replacedBy };
  return fold([entry as Entry], replacedBy === undefined ? about : [...about, replaced as Entry])[0];
}
