import { useEffect, useState } from 'preact/hooks';
import { sentence, t, times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useConnections } from '../parts/useIsLive.ts';
import { useReadable, useWorld } from '../parts/world.ts';
import { keeperOffer } from './declinedOffers.ts';
import { Sheet } from './Sheet.tsx';
import { becameKeeper, lookForRequests, waitingRequests } from './waitingRequests.ts';

/** For a keeper, the people who ask to come back. For the first user of a server, how to become one. */
export function KeeperSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const isKeeper = useReadable(becameKeeper) === app.user.id || app.role === 'keeper';
  return (
    <Sheet title={sheetTexts().keeper.title} onClose={onClose}>
      {isKeeper ? <Requests /> : <BecomeKeeper app={app} onClose={onClose} />}
    </Sheet>
  );
}

function BecomeKeeper({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().keeper;
  const action = useAsyncAction();
  const become = () =>
    action.run(
      async () => (await client.keepers()).become(),
      () => {
        keeperOffer.decline(app.user.id);
        becameKeeper.set(app.user.id);
      },
    );
  return (
    <>
      <p>{s.what}</p>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, s.reasons)}
      </p>
      <button type="button" class="button" aria-busy={action.busy} onClick={become}>
        {s.become}
      </button>
      <button type="button" class="button quiet" onClick={onClose}>
        {t.cancel}
      </button>
    </>
  );
}

function Requests() {
  const { client } = useWorld();
  const s = sheetTexts().keeper;
  const requests = useReadable(waitingRequests);
  const connections = useConnections();
  const [signOutOthers, setSignOutOthers] = useState(true);
  const action = useAsyncAction();
  useEffect(() => void lookForRequests(client), [client, connections]);
  const decide = (id: string, approve: boolean) =>
    action.run(async () => {
      const outcome = await (await client.keepers()).decide(id, approve, signOutOthers);
      await lookForRequests(client);
      return outcome;
    });
  const now = Date.now();
  return (
    <>
      <p>{requests.length === 0 ? s.none : s.how}</p>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, s.reasons)}
      </p>
      <ul class="public">
        {requests.map(({ id, user, number, createdAt }) => (
          <li key={id} class="room">
            <span class="what">
              <span class="name" dir="auto">
                {user.name}
              </span>
              <span class="last">{times.recent(createdAt, now)}</span>
            </span>
            <output class="code" aria-label={[...number].join(' ')}>
              {number}
            </output>
            <button
              type="button"
              class="button small"
              aria-label={s.approveNamed(user.name, number)}
              aria-busy={action.busy}
              onClick={() => decide(id, true)}
            >
              {s.approve}
            </button>
            <button
              type="button"
              class="button small quiet"
              aria-label={s.refuseNamed(user.name, number)}
              onClick={() => decide(id, false)}
            >
              {s.refuse}
            </button>
          </li>
        ))}
      </ul>
      {requests.length > 0 && (
        <label class="check">
          <input
            type="checkbox"
            checked={signOutOthers}
            onChange={(event) => setSignOutOthers(event.currentTarget.checked)}
          />
          {s.signOutOld}
        </label>
      )}
    </>
  );
}
