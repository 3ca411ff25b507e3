/**
 * The mark of a file whose content was moved to MongoDB (moveSource.ts). Triggers in the file itself refuse every write, of
 * whichever process and version.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { MoveState } from '../move.ts';
import { Unusable } from '../port.ts';

/** The content of the file is elsewhere: trying again does not help. */
export class Moved extends Unusable {}

/** Undefined where the file was never moved, also partly. Its tables are those of this version. */
export function moveStateOf(db: DatabaseSync): MoveState | undefined {
  return db.prepare('SELECT place, run, state FROM move').get() as MoveState | undefined;
}

export function movedError(file: string, { place, state }: MoveState): Moved {
  return new Moved(
    state === 'finished'
      ? `The database ${file} was moved to ${place}: set MONGODB_URL to that address (with the user and the password, if there are any), and start again.`
      : `The database ${file} was moved to ${place}, but that database does not know yet that it is complete: run \`npm run migrate\` to it once more, which takes a second.`,
  );
}

/** Undefined where the file may be written to. */
export function movedFrom(db: DatabaseSync, file: string): Moved | undefined {
  const found = moveStateOf(db);
  return found && found.state !== 'copying' ? movedError(file, found) : undefined;
}

/** Prefixes of the triggers that record changes, and of those that refuse them. */
export const RECORDS = 'moving_';
export const REFUSES = 'moved_';

/** Makes the file an ordinary one again. Works also on a file of an older version, which knows nothing of moves. */
export function forgetMove(db: DatabaseSync): void {
  const names = (type: string) =>
    db
      .prepare('SELECT name FROM sqlite_schema WHERE type = ?')
      .all(type)
      .map(({ name }) => String(name));
  for (const name of names('trigger'))
    if (name.startsWith(RECORDS) || name.startsWith(REFUSES)) db.exec(`DROP TRIGGER "${name}"`);
  if (names('table').includes('move')) db.exec('DELETE FROM move; DELETE FROM changedRows');
}

/**
 * Looks each second. Calls `onMoving` after the first look with what it found: a watch of before, whose thread has died, may
 * have reported otherwise. Then after each look where it has changed: another process begins to copy the file, or gives that up.
 * Calls `onMoved` once, when the file is marked as moved and the destination knows that it is complete; or FINISHES_WITHIN_MS
 * after the mark, where the process that moved it seems to have died in between.
 */
export function watchMove(
  db: DatabaseSync,
  file: string,
  { onMoving, onMoved }: { onMoving(isMoving: boolean): void; onMoved(moved: Moved): void },
): void {
  const version = db.prepare('PRAGMA data_version'); // changes with each commit of another connection
  const read = () => Object.values(version.get()!)[0];
  let before: unknown;
  let markedAt: number | undefined;
  let wasMoving: boolean | undefined;
  const timer = setInterval(() => {
    try {
      const now = read();
      if (now === before && markedAt === undefined) return;
      before = now;
      const moved = moveStateOf(db);
      if (wasMoving !== (moved !== undefined)) {
        wasMoving = moved !== undefined;
        onMoving(wasMoving);
      }
      if (!moved || moved.state === 'copying') return;
      markedAt ??= performance.now();
      if (moved.state === 'moved' && performance.now() - markedAt < FINISHES_WITHIN_MS) return;
      clearInterval(timer);
      onMoved(movedError(file, moved));
    } catch {
      // calls report what is wrong with the file
    }
  }, LOOK_EVERY_MS);
  timer.unref();
}

const LOOK_EVERY_MS = 1_000;
const FINISHES_WITHIN_MS = 10_000;
