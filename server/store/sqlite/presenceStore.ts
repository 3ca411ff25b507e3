/** When people were here last, and who hides it. */
import type { DatabaseSync } from 'node:sqlite';
import type { PresenceStore } from '../port.ts';
import type { Synchronous } from './calls.ts';
import { query } from './rows.ts';

export function presenceOn(db: DatabaseSync): Synchronous<PresenceStore> {
  const seen = query(
    db,
    `INSERT INTO presence (user, seenAt)
       SELECT value ->> 'user', value ->> 'at' FROM json_each(?) WHERE true
     ON CONFLICT (user) DO UPDATE SET seenAt = excluded.seenAt WHERE hides = 0 AND seenAt < excluded.seenAt`,
  );
  const of = query<{ user: string; seenAt: number; hides: 0 | 1; hidesReads: 0 | 1 }>(
    db,
    'SELECT user, seenAt, hides, hidesReads FROM presence WHERE user IN (SELECT value FROM json_each(?))',
  );
  const hide = query(
    db,
    'INSERT INTO presence (user, hides) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET hides = excluded.hides',
  );

  const hideReads = query(
    db,
    'INSERT INTO presence (user, hidesReads) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET hidesReads = excluded.hidesReads',
  );

  return {
    seen: (users) => void seen.run(JSON.stringify(users)),
    of: (users) =>
      new Map(
        of
          .all(JSON.stringify(users))
          .map(({ user, seenAt, hides, hidesReads }) => [
            user,
            { hides: hides === 1, seenAt: seenAt || undefined, ...(hidesReads && { hidesReads: true }) },
          ]),
      ),
    hide: (user, hides) => void hide.run(user, hides ? 1 : 0),
    hideReads: (user, hides) => void hideReads.run(user, hides ? 1 : 0),
  };
}
