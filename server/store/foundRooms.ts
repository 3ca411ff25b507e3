/** The search of public rooms, for all stores: what is found among those that were read, and where it goes on. */
import type { RoomAbout } from '../../shared/aboutRoom.ts';
import { nameKey } from '../../shared/text.ts';
import type { ListPosition } from './port.ts';

interface Searched {
  id: string;
  name: string;
  activeAt: number;
  about?: RoomAbout | undefined;
}

/** `listed`: the next rooms of the list, `look` of them unless the list is at its end. */
export function foundAmong<Room extends Searched>(
  listed: readonly Room[],
  key: string,
  limit: number,
  look: number,
): { rooms: Room[]; next: ListPosition | undefined } {
  const rooms: Room[] = [];
  let seen = 0;
  for (const room of listed) {
    seen++;
    if (!isFound(room, key)) continue;
    rooms.push(room);
    if (rooms.length === limit) break;
  }
  const isAtEnd = seen === listed.length && listed.length < look;
  const last = listed[seen - 1];
  return { rooms, next: isAtEnd || !last ? undefined : { activeAt: last.activeAt, id: last.id } };
}

function isFound({ name, about }: Searched, key: string): boolean {
  return nameKey(name).includes(key) || nameKey(about?.description ?? '').includes(key);
}
