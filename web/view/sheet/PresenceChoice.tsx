import { useEffect, useRef, useState } from 'preact/hooks';
import { sentence } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Reason } from '../../records/errorReason.ts';
import { outcomeOf } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';

/** Whether others see when one is here, and what one has read. */
export function PresenceChoices({ isLive }: { isLive: boolean }) {
  return (
    <>
      <PresenceChoice what="presence" isLive={isLive} />
      <PresenceChoice what="readers" isLive={isLive} />
    </>
  );
}

/** The server keeps it for all devices, so it takes a connection. */
function PresenceChoice({ what, isLive }: { what: 'presence' | 'readers'; isLive: boolean }) {
  const { client } = useWorld();
  const s = sheetTexts().presence;
  const [isShown, setShown] = useState<boolean | undefined>();
  const [reason, setReason] = useState<Reason | undefined>();
  const asked = useRef(0);
  /** Shows what is chosen at once; of several taps the last one counts. */
  const ask = async (show?: boolean) => {
    const mine = ++asked.current;
    if (show !== undefined) setShown(show);
    const answer = await outcomeOf(() => client.ask('showPresence', what, show));
    if (mine !== asked.current) return;
    setReason(answer.ok ? undefined : answer.reason);
    if (answer.ok) setShown(answer.shown);
    else if (show !== undefined) setShown(!show);
  };
  useEffect(() => {
    if (isLive) void ask();
  }, [isLive]);
  const isOff = !isLive || isShown === undefined;
  return (
    <div>
      <label class="check">
        <input
          type="checkbox"
          checked={isShown ?? true}
          aria-disabled={isOff} // not `disabled`, which would take the focus away
          aria-describedby={`${what}-why`}
          onClick={(event) => isOff && event.preventDefault()}
          onChange={({ currentTarget }) => void ask(currentTarget.checked)}
        />
        {what === 'presence' ? s.show : s.showReads}
      </label>
      <p id={`${what}-why`} role="status">
        {reason && isLive ? sentence(reason) : isLive ? s.why : s.offline}
      </p>
    </div>
  );
}
