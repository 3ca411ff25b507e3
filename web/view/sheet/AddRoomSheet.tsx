import { useEffect, useState } from 'preact/hooks';
import { roomName, sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { PublicRoom, SignedIn } from '../../state/model.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { InvitationCode } from './InvitationCode.tsx';
import { afterClosing, Sheet } from './Sheet.tsx';
import { WriteToForm } from './WriteToForm.tsx';

/** Creates a room, joins a public one, or writes to a person. */
export function AddRoomSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client, router } = useWorld();
  const s = sheetTexts();
  const [name, setName] = useState('');
  const [isPrivate, setIsPrivate] = useState(false);
  const [announcements, setAnnouncements] = useState(false);
  const action = useAsyncAction();
  const enter = (room: string) => {
    onClose();
    afterClosing(() => router.go({ tag: 'room', id: room }));
  };
  const create = (event: Event) => {
    event.preventDefault();
    if (name.trim() === '') return action.say({ code: 'empty' });
    action.run(
      () => client.ask('createRoom', name, isPrivate ? 'private' : 'public', announcements),
      ({ room }) => (room === undefined ? onClose() : enter(room)),
    );
  };
  return (
    <Sheet title={s.add.title} onClose={onClose}>
      <form onSubmit={create} noValidate>
        <Field
          label={s.add.name}
          value={name}
          onInput={setName}
          reason={action.reason}
          reasons={s.reasons.room}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={isPrivate}
            onChange={(event) => setIsPrivate(event.currentTarget.checked)}
          />
          {s.add.private}
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={announcements}
            onChange={(event) => setAnnouncements(event.currentTarget.checked)}
          />
          {s.editRoom.announcements}
        </label>
        <button type="submit" class="button" aria-busy={action.busy}>
          {s.add.create}
        </button>
      </form>
      <WriteToForm app={app} onOpened={enter} />
      <InvitationCode onClose={onClose} />
      <PublicRooms mine={app.rooms.map((room) => room.id)} onJoined={enter} />
    </Sheet>
  );
}

function PublicRooms({ mine, onJoined }: { mine: string[]; onJoined(room: string): void }) {
  const { client } = useWorld();
  const s = sheetTexts();
  const [rooms, setRooms] = useState<PublicRoom[] | undefined>();
  const list = useAsyncAction();
  const join = useAsyncAction();
  useEffect(() => {
    list.run(
      () => client.ask('listPublic'),
      (answer) => setRooms(answer.rooms ?? []),
    );
  }, []);

  const reason = join.reason ?? list.reason;
  const others = rooms?.filter((room) => !mine.includes(room.id));
  return (
    <section class="public">
      <h3>{s.add.public}</h3>
      <p class="why" role="alert">
        {reason && sentence(reason, s.reasons.room)}
      </p>
      {list.busy && <p>{s.add.looking}</p>}
      {others?.length === 0 && <p>{s.add.none}</p>}
      <ul>
        {others?.map((room) => (
          <li key={room.id} class="room">
            <Avatar id={room.id} name={roomName(room)} kind="public" />
            <span class="what">
              <span class="name" dir="auto">
                {roomName(room)}
              </span>
              <span class="last">{t.rooms.people(room.members)}</span>
            </span>
            <button
              type="button"
              class="button small"
              aria-label={s.add.joinNamed(roomName(room))}
              aria-busy={join.busy}
              onClick={() =>
                join.run(
                  () => client.ask('joinRoom', room.id),
                  () => onJoined(room.id),
                )
              }
            >
              {s.add.join}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
