/** The request `append`, as it comes by socket and by HTTP. */
import { APPEND_MAX_BYTES, APPEND_MAX_ITEMS } from '../../shared/limits.ts';
import type { Answer, Request, User } from '../../shared/protocol/index.ts';
import { jsonBytes } from '../base/jsonBytes.ts';
import { RefusedError } from '../base/refusal.ts';
import type { Ingest } from './ingest.ts';

export function createAppend(ingest: Ingest) {
  return async (
    user: User,
    { as, items }: Request<'append'>,
  ): Promise<Omit<Answer<'append'>, 'ok' | 'epoch'>> => {
    if (as !== user.id)
      throw new RefusedError('unauthorized', 'These items belong to another user than the one signed in.');
    if (items.length === 0) throw new RefusedError('invalid', 'There are no items to append.');
    if (items.length > APPEND_MAX_ITEMS) {
      throw new RefusedError(
        'too-large',
        `${items.length} items came; at most ${APPEND_MAX_ITEMS} go at once.`,
      );
    }
    const bytes = jsonBytes(items);
    if (bytes > APPEND_MAX_BYTES) {
      throw new RefusedError(
        'too-large',
        `The items have ${bytes} bytes; at most ${APPEND_MAX_BYTES} go at once.`,
      );
    }
    return ingest.append(user, items);
  };
}
