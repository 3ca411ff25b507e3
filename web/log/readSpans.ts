/** What is held of a room's log, as the database says it. */
import { ofRoom, type UserRead, type UserWrite } from '../db/schema.ts';
import { cursorOf, type Span } from './spans.ts';

/** Ascending. */
export async function spansOf(tx: UserRead | UserWrite, room: string): Promise<Span[]> {
  return tx.objectStore('logSpans').getAll(ofRoom(room));
}

export async function cursorIn(tx: UserRead | UserWrite, room: string): Promise<number> {
  return cursorOf(await spansOf(tx, room));
}
