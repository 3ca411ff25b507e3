/**
 * Something else than Holdfast answers at this address: a login proxy whose session has ended, or the sign-in page of a
 * network. The link leads there; the service worker leaves that address to the network.
 */
import { useEffect, useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import { PAST_WORKER, whoAnswers } from '../../load/whoAnswers.ts';
import type { Reason } from '../../records/errorReason.ts';
import { hashOf } from '../parts/router.ts';
import { useReadable, useSignedIn, useWorld } from '../parts/world.ts';

/** In place of the line about the connection; also where the user is suspended. */
export function StrangerLine() {
  const isSuspended = useSignedIn(({ connection }) => connection.tag === 'suspended');
  return <p class="line">{isSuspended ? sheetTexts().suspended : <OpenStranger />}</p>;
}

function OpenStranger() {
  const route = useReadable(useWorld().router.route);
  return (
    <>
      {sheetTexts().stranger.answers}
      <a href={PAST_WORKER + hashOf(route)}>{sheetTexts().stranger.open}</a>
    </>
  );
}

/** Below a form that failed for `reason`: if the server could not be reached, finds out who answers instead. */
export function StrangerHint({ reason }: { reason: Reason | undefined }) {
  const [isStranger, setIsStranger] = useState(false);
  useEffect(() => {
    setIsStranger(false);
    if (reason?.code !== 'unreachable') return;
    let isLast = true;
    void whoAnswers(fetch).then((who) => isLast && setIsStranger(who === 'stranger'));
    return () => {
      isLast = false;
    };
  }, [reason]);
  return (
    <p class="small" role="status">
      {isStranger && <OpenStranger />}
    </p>
  );
}
