import { useEffect, useState } from 'preact/hooks';
import { sentence } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';

/** Whether others see when one is here. The server keeps it for all devices, so it takes a connection. */
export function PresenceChoice({ isLive }: { isLive: boolean }) {
  const { client } = useWorld();
  const s = sheetTexts().presence;
  const [isShown, setShown] = useState<boolean | undefined>();
  const action = useAsyncAction();
  const ask = (show?: boolean) =>
    action.run(
      () => client.showPresence(show),
      (answer) => setShown(answer.shown),
    );
  useEffect(() => {
    if (isLive) ask();
  }, [isLive]);
  return (
    <div>
      <label class="check">
        <input
          type="checkbox"
          checked={isShown ?? true}
          disabled={!isLive || isShown === undefined}
          aria-busy={action.busy}
          aria-describedby="presence-why"
          onChange={({ currentTarget }) => ask(currentTarget.checked)}
        />
        {s.show}
      </label>
      <p id="presence-why" role="status">
        {action.reason && isLive ? sentence(action.reason) : isLive ? s.why : s.offline}
      </p>
    </div>
  );
}
