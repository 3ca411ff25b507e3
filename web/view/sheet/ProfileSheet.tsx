import { useEffect, useState } from 'preact/hooks';
import { roomName, sentence, times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Profile, SignedIn } from '../../state/model.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { ReportSheet } from './ReportSheet.tsx';
import { afterClosing, Sheet } from './Sheet.tsx';

interface ProfileSheetProps {
  app: SignedIn;
  person: { id: string; name: string };
  onClose(): void;
}

/** Who somebody is: since when, whether they are here, the rooms shared with them; and what one can do. */
export function ProfileSheet({ app, person, onClose }: ProfileSheetProps) {
  const { client, router } = useWorld();
  const s = sheetTexts().profile;
  const [known, setKnown] = useState<Profile | undefined>();
  const [isReporting, setIsReporting] = useState(false);
  const look = useAsyncAction();
  const write = useAsyncAction();
  const block = useAsyncAction();
  const isLive = app.connection.tag === 'live';
  const isMe = person.id === app.user.id;
  useEffect(() => {
    if (isLive)
      look.run(
        () => client.ask('profile', person.id),
        ({ profile }) => setKnown(profile),
      );
  }, [client, person.id, isLive]);

  const direct = app.rooms.find((room) => room.with === person.id);
  const isBlocked = direct?.wishes.blocked === true;
  const shared = app.rooms.filter(({ id }) => known?.rooms.includes(id));
  const name = known?.name || person.name || sheetTexts().presence.somebody;
  const { here, seenAt } = known?.presence ?? {};
  const go = (room: string | undefined) => {
    onClose();
    if (room !== undefined) afterClosing(() => router.go({ tag: 'room', id: room }));
  };
  const reason = write.reason ?? block.reason;
  if (isReporting)
    return <ReportSheet what={{ person: person.id }} name={name} onClose={() => setIsReporting(false)} />;
  return (
    <Sheet title={name} onClose={onClose}>
      <div class="profile">
        <Avatar id={person.id} name={name} kind="direct" />
        <p>
          {here && sheetTexts().presence.here}
          {!here && seenAt !== undefined && sheetTexts().presence.seen(times.recent(seenAt, Date.now()))}
        </p>
      </div>
      {known?.since !== undefined && <p>{s.since(times.date(known.since, Date.now()))}</p>}
      {!known && <p>{isLive ? (look.reason ? sentence(look.reason, s.reasons) : s.looking) : s.offline}</p>}
      {!isMe && shared.length > 0 && (
        <section class="public">
          <h3>{s.shared}</h3>
          <ul>
            {shared.map((room) => (
              <li key={room.id}>
                <button type="button" class="button quiet" onClick={() => go(room.id)}>
                  {roomName(room)}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <p class="why" role="alert">
        {reason && sentence(reason)}
      </p>
      {!isBlocked && (
        <button
          type="button"
          class="button"
          aria-busy={write.busy}
          onClick={() =>
            write.run(
              () => client.ask('writeTo', { ...person, name }),
              ({ room }) => go(room),
            )
          }
        >
          {isMe ? s.notes : s.write}
        </button>
      )}
      {!isMe && (
        <>
          {!isBlocked && <p>{s.blockMeans}</p>}
          <button
            type="button"
            class={isBlocked ? 'button' : 'button danger'}
            aria-busy={block.busy}
            onClick={() => block.run(() => client.ask('block', { ...person, name }, !isBlocked))}
          >
            {isBlocked ? s.unblock : s.block}
          </button>
          <button type="button" class="button quiet" onClick={() => setIsReporting(true)}>
            {sheetTexts().report.action}
          </button>
        </>
      )}
    </Sheet>
  );
}
