/** Following an invitation: what somebody new sees on the first screen, and the sheet of whoever is signed in. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { roomName, sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { InvitedTo } from '../../state/model.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { takeAgreement } from '../parts/agreed.ts';
import type { Route } from '../parts/router.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useSignedIn, useWorld } from '../parts/world.ts';
import { afterClosing, Sheet } from './Sheet.tsx';

/** On the first screen, above the field for the name. */
export function InvitationNotice({ invite }: { invite: string }) {
  const { invited, reason, lookAgain } = useInvited(invite, true);
  const s = sheetTexts().join;
  return (
    <>
      {invited && (
        <p>
          <strong dir="auto">
            {s.withPeople(s.title(invited.by, roomName(invited.room)), t.rooms.people(invited.room.members))}
          </strong>
        </p>
      )}
      {invited && !invited.newcomers && <p>{s.onlyUsers}</p>}
      <p class="why" role="alert">
        {reason && sentence(reason)}
      </p>
      {reason && !isFinal(reason.code) && (
        <button type="button" class="button small" onClick={lookAgain}>
          {t.storage.retry}
        </button>
      )}
    </>
  );
}

export function JoinSheet({ invite }: { invite: string }) {
  const { client, router } = useWorld();
  const s = sheetTexts().join;
  const isLive = useSignedIn(({ connection: { tag } }) => tag === 'live' || tag === 'catching-up');
  const { invited, reason } = useInvited(invite, isLive);
  const isMember = useSignedIn(({ rooms }) =>
    rooms.some(({ id, member }) => member && id === invited?.room.id),
  );
  const agreed = useRef(takeAgreement(invite));
  const join = useAsyncAction();
  const [isClosed, setIsClosed] = useState(false);
  const leave = (route: Route) => {
    setIsClosed(true);
    afterClosing(() => router.go(route));
  };
  const enter = () => {
    if (!invited) return;
    agreed.current = false;
    const { id } = invited.room;
    if (isMember) return leave({ tag: 'room', id });
    join.run(
      () => client.ask('joinRoom', id, invite),
      () => leave({ tag: 'room', id }),
    );
  };
  useEffect(() => {
    if (invited && isLive && agreed.current) enter();
  }, [invited, isLive]);

  if (isClosed) return null;
  const why = join.reason ?? reason;
  return (
    <Sheet title={s.name} onClose={() => leave({ tag: 'rooms' })}>
      {invited && (
        <section class="offer">
          <Avatar id={invited.room.id} name={roomName(invited.room)} kind="private" />
          <h3 dir="auto">{s.title(invited.by, roomName(invited.room))}</h3>
          <p>{t.rooms.people(invited.room.members)}</p>
        </section>
      )}
      {!invited && !why && <p>{isLive ? s.looking : s.offline}</p>}
      <p class="why" role="alert">
        {why && sentence(why, sheetTexts().reasons.room)}
      </p>
      {invited && (
        <button type="button" class="button" aria-busy={join.busy} onClick={enter}>
          {isMember ? s.open : sheetTexts().add.join}
        </button>
      )}
    </Sheet>
  );
}

/** What the invitation is to. `isLive`: there may be an answer; looked up again when that changes. */
function useInvited(invite: string, isLive: boolean) {
  const { client } = useWorld();
  const [invited, setInvited] = useState<InvitedTo | undefined>();
  const look = useAsyncAction();
  const lookAgain = () =>
    look.run(
      async () => (await client.people()).lookAtInvitation(invite),
      (answer) => setInvited(answer.invited),
    );
  useEffect(() => {
    if (isLive && !invited) lookAgain();
  }, [isLive]);
  return { invited, reason: look.reason, lookAgain };
}

function isFinal(code: string): boolean {
  return code.startsWith('invitation-');
}
