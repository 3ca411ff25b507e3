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
  return keyOf(name).includes(key) || keyOf(about?.description ?? '').includes(key);
}

/** By text. To make a key takes up to 13 times as long as usual where a character stands for many. */
const keys = new Map<string, string>();
let keysLength = 0;

function keyOf(text: string): string {
  const known = keys.get(text);
  if (known !== undefined) return known;
  const key = nameKey(text);
  keysLength += text.length + key.length;
  if (keysLength > KEYS_MAX_LENGTH) {
    keys.clear();
    keysLength = text.length + key.length;
  }
  keys.set(text, key);
  return key;
}

/** UTF-16 units, in each thread that searches: the names and descriptions of some 4,000 rooms. */
const KEYS_MAX_LENGTH = 2 * 1024 * 1024;
