import { useEffect } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import { KEEPER_LOOKS_EVERY_MS } from '../../records/pageLimits.ts';
import { useReadable, useSignedIn, useWorld } from '../parts/world.ts';
import type { OpenSheet } from '../sheet/Sheets.tsx';
import { becameKeeper, lookForRequests, waitingRequests } from '../sheet/waitingRequests.ts';

/** Tells a keeper that people ask to come back, while the app is visible and has a connection. */
export function RequestsBar({ onOpen }: { onOpen(sheet: OpenSheet): void }) {
  const { client } = useWorld();
  const became = useReadable(becameKeeper);
  const looks = useSignedIn(
    ({ user, role, connection }) => (role === 'keeper' || became === user.id) && connection.tag === 'live',
  );
  const waiting = useReadable(waitingRequests);
  useEffect(() => {
    if (!looks) return;
    const look = () => {
      if (document.visibilityState === 'visible') void lookForRequests(client);
    };
    look();
    const timer = setInterval(look, KEEPER_LOOKS_EVERY_MS);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [client, looks]);
  if (!looks || waiting.length === 0) return null;
  const s = sheetTexts().keeper;
  return (
    <div class="update" role="status">
      <span>{s.waiting(waiting.length)}</span>
      <button type="button" class="button small" onClick={() => onOpen({ tag: 'keeper' })}>
        {s.look}
      </button>
    </div>
  );
}
