/**
 * The cursor of `room:list`: the position of the last room of a page, in the form of a room's id, since clients check that
 * form. 8 characters are its activity (48 bits of milliseconds), 13 the beginning of its id (78 bits), which tells apart the
 * rooms of one millisecond. It is not the room's id alone: by the next page, that room may be the first one of the list. Pure.
 */
import { LOBBY } from '../../shared/mint.ts';
import type { ListPosition } from '../store/port.ts';

export function listCursor({ activeAt, id }: ListPosition): string {
  const time = Buffer.alloc(TIME_BYTES);
  time.writeUIntBE(Math.min(activeAt, MAX_TIME), 0, TIME_BYTES);
  return time.toString('base64url') + id.slice(0, ID_LENGTH).padEnd(ID_LENGTH, FILL) + END;
}

/** The beginning of the list where `cursor` is undefined, or the id of the lobby, which an older server would have given. */
export function positionOf(cursor: string | undefined): ListPosition | undefined {
  if (cursor === undefined || cursor === LOBBY) return undefined;
  const activeAt = Buffer.from(cursor.slice(0, TIME_LENGTH), 'base64url').readUIntBE(0, TIME_BYTES);
  return { activeAt, id: cursor.slice(TIME_LENGTH, TIME_LENGTH + ID_LENGTH).replace(/-+$/, '') };
}

const TIME_BYTES = 6;
const TIME_LENGTH = 8;
const MAX_TIME = 2 ** (8 * TIME_BYTES) - 1;
const ID_LENGTH = 13;
/** For the lobby, whose id is shorter. The first of all characters of an id: without it, the position is hardly another one. */
const FILL = '-';
/** The last character of an id has two bits. */
const END = 'A';
