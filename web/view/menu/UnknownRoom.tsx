import { useEffect, useState } from 'preact/hooks';
import { LOBBY } from '../../../shared/mint.ts';
import { roomName, sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { PublicRoom } from '../../state/model.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useIsLive } from '../parts/useIsLive.ts';
import { useWorld } from '../parts/world.ts';

/**
 * Stands in place of the log of a room that the user is no member of, such as one that a link led to: offers to join it. The
 * link stays in the address, so that without a connection it waits for one.
 */
export function UnknownRoom({ id }: { id: string }) {
  const isLive = useIsLive();
  return <JoinOffer key={isLive} id={id} isLive={isLive} />;
}

function JoinOffer({ id, isLive }: { id: string; isLive: boolean }) {
  const { client } = useWorld();
  const [found, setFound] = useState<PublicRoom | undefined>();
  const look = useAsyncAction();
  const join = useAsyncAction();
  const lookUp = () =>
    look.run(
      () => client.ask('lookUpRoom', id),
      ({ room }) => setFound(room),
    );
  useEffect(() => {
    if (!isLive) return;
    if (isRoomId(id)) lookUp();
    else look.say({ code: 'not-found' });
  }, [id, isLive]);

  const s = sheetTexts().unknownRoom;
  const isMissing = look.reason?.code === 'not-found' || join.reason?.code === 'not-found';
  if (!isLive) return <p class="none">{s.offline}</p>;
  if (isMissing) return <p class="none">{s.missing}</p>;
  const isOldServer = look.reason?.code === 'invalid'; // it cannot tell the name, but it can be asked to join
  if (!found && !isOldServer)
    return (
      <p class="none" role="alert">
        {look.reason && sentence(look.reason, sheetTexts().reasons.room)}
        {look.reason && (
          <button type="button" class="button small" onClick={lookUp}>
            {t.storage.retry}
          </button>
        )}
      </p>
    );
  return (
    <section class="offer">
      {found && <Avatar id={found.id} name={roomName(found)} kind="public" />}
      <h2 dir="auto">{found ? s.join(roomName(found)) : s.joinUnnamed}</h2>
      {found && <p>{t.rooms.people(found.members)}</p>}
      <p class="why" role="alert">
        {join.reason && sentence(join.reason, sheetTexts().reasons.room)}
      </p>
      <button
        type="button"
        class="button"
        aria-busy={join.busy}
        onClick={() => join.run(() => client.ask('joinRoom', id))}
      >
        {sheetTexts().add.join}
      </button>
    </section>
  );
}

/** Anything else is `invalid` to the server, as the whole request is to an older one. */
function isRoomId(id: string): boolean {
  return id === LOBBY || /^[\w-]{21}[AQgw]$/.test(id);
}
