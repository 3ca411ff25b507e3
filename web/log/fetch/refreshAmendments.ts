/**
 * Refreshes edits and deletions of messages that were stored earlier: amendments that were made while the user was offline
 * are requested when the messages are on the screen (S3). Which ranges have been checked is kept in memory only.
 */
import { readSpans } from '../../db/lookups.ts';
import type { UserDatabase } from '../../db/userDatabase.ts';
import { cover, type OffsetRange, type Span, staleIn } from '../../records/spans.ts';
import { isContiguous } from '../store/applyFrames.ts';
import type { RangeRequests } from './rangeRequests.ts';
import type { SyncSessions } from './syncSession.ts';

export interface AmendmentRefresher {
  /** Requests the missing amendments of a visible range. `known`: none were missing. `no way`: no answer. */
  freshen(room: string, seen: OffsetRange): Promise<'known' | 'asked' | 'no way'>;
  /** The log may be another one now: nothing has been checked. */
  forgetChecked(): void;
}

interface Deps {
  db: UserDatabase;
  ranges: Pick<RangeRequests, 'request' | 'pieceEntries'>;
  sessions: Pick<SyncSessions, 'current' | 'storeAnswer'>;
}

type RefreshResult = 'known' | 'asked' | 'no way';

export function createAmendmentRefresher({ db, ranges, sessions }: Deps): AmendmentRefresher {
  let checked = new Map<string, Span[]>();
  /** One refresh at a time per room, so that nothing is requested twice. */
  const busy = new Map<string, Promise<RefreshResult>>();

  async function freshenNow(room: string, seen: OffsetRange): Promise<RefreshResult> {
    const spans = await db.read(['logSpans'], (tx) => readSpans(tx, room));
    const stale = staleIn(spans, checked.get(room) ?? [], seen);
    for (const piece of stale) if (!(await ask(room, piece))) return 'no way';
    return stale.length > 0 ? 'asked' : 'known';
  }

  /** True if all of it was answered and stored. */
  async function ask(room: string, { from, to }: OffsetRange): Promise<boolean> {
    const mine = checked;
    const session = sessions.current();
    if (!session) return false;
    for (let next = from; next <= to; ) {
      const piece = { from: next, to: Math.min(to, next + ranges.pieceEntries() - 1) };
      const result = await ranges.request(session, room, piece);
      if (result.tag !== 'answered' || !isContiguous(result.answer.entries, next)) return false;
      const { entries, amendments, head: amendedTo, users, quotes, reactions } = result.answer;
      const last = entries.at(-1)!.serverOffset;
      const known = mine.get(room) ?? [];
      const now = cover(known, { from: next, to: last, amendedTo }, true) ?? known;
      const run = { room, entries, amendments, amendedTo, opens: false, quotes, reactions, checked: now };
      if (!(await sessions.storeAnswer(session, run, users)) || mine !== checked) return false;
      mine.set(room, now);
      next = last + 1;
    }
    return true;
  }

  return {
    freshen(room, seen) {
      const before = busy.get(room) ?? Promise.resolve();
      const mine = before.then(
        () => freshenNow(room, seen),
        () => freshenNow(room, seen),
      );
      busy.set(room, mine);
      const over = () => void (busy.get(room) === mine && busy.delete(room));
      mine.then(over, over);
      return mine;
    },
    forgetChecked() {
      checked = new Map();
    },
  };
}
