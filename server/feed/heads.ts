import { type LogStore, Unavailable } from '../store/port.ts';

/**
 * The head of one room. What is asked for in one turn of the event loop is one question to the store: a socket that is
 * welcomed into 500 rooms asks once. Rejects with `Unavailable` for a room whose head cannot be told, for it alone.
 */
export function createHeadOf(log: Pick<LogStore, 'heads'>): (room: string) => Promise<number> {
  let asking: Asking | undefined;

  function ask(): Asking {
    const rooms: string[] = [];
    const heads = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      asking = undefined;
      return log.heads(rooms);
    });
    return { rooms, heads };
  }

  return async (room) => {
    asking ??= ask();
    asking.rooms.push(room);
    const head = (await asking.heads).get(room);
    if (head === undefined) throw new Unavailable('The head of this room cannot be told at the moment.');
    return head;
  };
}

interface Asking {
  rooms: string[];
  heads: Promise<Map<string, number>>;
}
