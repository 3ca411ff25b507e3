/** The pinned message of a room as the bar above the log shows it: as it is held, else the server is asked for the entries around it. */
import { shownName } from '../../shared/text.ts';
import { SCREEN_STORES } from '../db/shareReads.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import type { Sync } from '../log/fetch/sync.ts';
import { entryAt } from '../log/read/findOwnText.ts';
import { foldLines } from '../log/read/readLines.ts';
import { messageKey } from '../records/storedRecords.ts';

/** `name`: empty where it is not known. */
interface PinnedText {
  /** Of the message on the screen. */
  key: string;
  author: string;
  name: string;
  body: string;
}

/** Undefined where it cannot be had now, is no text, or is deleted. */
export async function askPinned(
  db: UserDatabase,
  sync: Pick<Sync, 'around'>,
  isLive: () => boolean,
  room: string,
  serverOffset: number,
): Promise<PinnedText | undefined> {
  const read = () =>
    db.read(SCREEN_STORES, async (tx) => {
      const entry = await entryAt(tx, room, serverOffset);
      const [line] = entry ? await foldLines(tx, room, [entry]) : [];
      if (line?.tag !== 'text') return { isHeld: line !== undefined };
      const user = await tx.objectStore('users').get(line.author);
      const key = messageKey(line.author, line.clientOffset);
      const text = { key, author: line.author, name: shownName(user?.name ?? ''), body: line.body };
      return { isHeld: true, text };
    });
  const held = await read();
  if (held.isHeld || !isLive()) return held.text;
  await sync.around(room, serverOffset);
  return (await read()).text; // also where another request has fetched it meanwhile
}
