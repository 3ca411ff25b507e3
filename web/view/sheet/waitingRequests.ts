/** What a keeper has seen last of the requests to come back. */
import { createCell, type Readable } from '../../records/cell.ts';
import type { Client, KeeperActions } from '../../state/model.ts';

type Requests = NonNullable<Awaited<ReturnType<KeeperActions['requests']>>['requests']>;

const seen = createCell<Requests>([]);

export const waitingRequests: Readable<Requests> = seen;

/** The id of the user who has just become a keeper: the session says so only after the next connection. */
export const becameKeeper = createCell<string | undefined>(undefined);

/** Keeps what was seen where there is no answer. */
export async function lookForRequests(client: Pick<Client, 'keepers'>): Promise<void> {
  const answer = await client
    .keepers()
    .then((keepers) => keepers.requests())
    .catch(() => undefined); // its chunk cannot be fetched now
  if (answer?.ok) seen.set(answer.requests ?? []);
}
