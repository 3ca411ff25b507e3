/** Read markers: none covers an entry that the user has not seen in the present log, and what is after it counts as unread (S1). */
import { isMessage } from '../../../shared/kinds.ts';
import { MENTIONS_LISTED_MAX, UNREAD_COUNTED_MAX } from '../../../shared/limits.ts';
import type { LocalRoom, ReadMark } from '../../../web/records/storedRecords.ts';
import type { Tab } from './browser.ts';
import { isBy, type LogRoom, mentionsIn } from './logs.ts';
import type { Run } from './run.ts';

/** A user has seen a room up to this message. */
export interface Sighting {
  user: string;
  room: string;
  serverOffset: number;
  author: string;
  clientOffset: string;
}

export interface Sightings {
  add(sighting: Sighting): void;
  /** The data was restored: the markers of the copy hold. */
  restored(rooms: readonly LogRoom[]): void;
  /** Up to where the user can have read the present log of a room. */
  upTo(user: string, room: LogRoom): number;
}

export function createSightings(): Sightings {
  const all: Sighting[] = [];
  let restored = new Map<string, ReadonlyMap<string, number>>();
  return {
    add: (sighting) => void all.push(sighting),
    restored(rooms) {
      restored = new Map(rooms.map(({ id, readUpTo }) => [id, new Map(readUpTo)]));
    },
    upTo(user, { id, log }) {
      const seen = all.filter((each) => {
        const logged = log[each.serverOffset - 1];
        return (
          each.user === user && each.room === id && logged && isBy(logged, each.author, each.clientOffset)
        );
      });
      return Math.max(restored.get(id)?.get(user) ?? 0, ...seen.map(({ serverOffset }) => serverOffset));
    },
  };
}

export function checkMarks({ browser, sightings, broken }: Run, user: string, room: LogRoom): void {
  const seen = sightings.upTo(user, room);
  const mark = markOf(browser.disk, user, room.id);
  if (mark > seen) broken('S1', `${room.name} is read up to ${mark} here, and was seen up to ${seen}`);
  const there = room.readUpTo.get(user) ?? 0;
  if (there > seen) broken('S1', `${room.name} is read up to ${there} there, and was seen up to ${seen}`);
}

/** All of the room is stored: what is after the read marker counts, and nothing else. */
export function countsUnread({ browser }: Run, user: string, tab: Tab, room: LogRoom): boolean {
  const after = room.log.slice(markOf(browser.disk, user, room.id));
  const unread = after.filter(
    ({ entry, isRedacted }) => isMessage(entry) && !isRedacted && entry.author !== user,
  );
  const shown = tab.signedIn()?.rooms.find(({ id }) => id === room.id);
  const mentions = mentionsIn(room, user, markOf(browser.disk, user, room.id));
  const areListed = mentions.length > MENTIONS_LISTED_MAX || shown?.mentions.join() === mentions.join(); // of more, the later ones are learnt as they come
  return areListed && shown?.unread === Math.min(unread.length, UNREAD_COUNTED_MAX);
}

function markOf(disk: Run['browser']['disk'], user: string, room: string): number {
  const database = `holdfast:${user}`;
  const mark = disk.read<ReadMark>(database, 'marks').find((each) => each.room === room);
  const stored = disk.read<LocalRoom>(database, 'rooms').find(({ id }) => id === room);
  return Math.max(mark?.upTo ?? 0, stored?.readUpTo ?? 0);
}
