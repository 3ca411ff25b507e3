/** Stores the counts of reactions that came with a run of entries. A page counts nothing itself. */
import type { Entry } from '../../../shared/entry.ts';
import { countedFor } from '../../../shared/kinds.ts';
import type { Reactions } from '../../../shared/protocol/index.ts';
import { type Toggle, toggled } from '../../../shared/toggles.ts';
import type { UserWrite } from '../../db/userDatabase.ts';
import type { LogRun } from './storeEntries.ts';

/**
 * Of the counts of a message those with the greater `asOf` hold, in whichever order they arrive. A live frame does not say which
 * reactions are the user's own: then the user's entries in the run change what is known.
 */
export async function storeReactions(
  tx: UserWrite,
  me: string,
  { room, entries, reactions = [] }: LogRun,
): Promise<void> {
  if (reactions.length === 0) return;
  const store = tx.objectStore('reactions');
  const own = entries.filter(({ author }) => author === me);
  const newest = new Map<number, Reactions>();
  for (const each of reactions)
    if (each.asOf >= (newest.get(each.target)?.asOf ?? 0)) newest.set(each.target, each);
  await Promise.all(
    [...newest.values()].map(async (counted) => {
      const { target, asOf } = counted;
      const stored = await store.get([room, target]);
      if (stored && stored.asOf > asOf) return;
      const toggles = own.flatMap((entry) => (countedFor(entry) === target ? toggleOf(entry) : []));
      const mine = counted.mine ?? toggled(stored?.mine ?? [], toggles);
      await store.put({ ...counted, room, mine });
    }),
  );
}

function toggleOf(entry: Entry): Toggle {
  return entry as unknown as Toggle;
}
