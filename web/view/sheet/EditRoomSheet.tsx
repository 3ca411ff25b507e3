import { useId, useState } from 'preact/hooks';
import { roomName, sentence } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { RoomSummary, SignedIn } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';

interface EditRoomSheetProps {
  app: SignedIn;
  room: RoomSummary;
  onClose(): void;
}

/** For owners and moderators: the name and the description of a room, and who may write in it. */
export function EditRoomSheet({ app, room, onClose }: EditRoomSheetProps) {
  const { client } = useWorld();
  const s = sheetTexts().editRoom;
  const [name, setName] = useState(roomName(room));
  const [description, setDescription] = useState(room.about?.description ?? '');
  const [announcements, setAnnouncements] = useState(room.about?.announcements === true);
  const rename = useAsyncAction();
  const describe = useAsyncAction();
  const restrict = useAsyncAction();
  const id = useId();
  const isOffline = app.connection.tag === 'offline';

  // one request each, one after the other: the first that fails says why, and what was saved is no change the next time
  const saveAnnouncements = () => {
    if (announcements === (room.about?.announcements === true)) return onClose();
    restrict.run(() => client.ask('changeRoom', room.id, { announcements }), onClose);
  };
  const saveDescription = () => {
    if (description.trim() === (room.about?.description ?? '')) return saveAnnouncements();
    describe.run(() => client.ask('changeRoom', room.id, { description }), saveAnnouncements);
  };
  const save = (event: Event) => {
    event.preventDefault();
    if (isOffline) return;
    if (name.trim() === '') return rename.say({ code: 'empty' });
    if (name.trim() === roomName(room)) return saveDescription();
    rename.run(() => client.ask('changeRoom', room.id, { name }), saveDescription);
  };
  return (
    <Sheet title={s.title} onClose={onClose}>
      <form onSubmit={save} noValidate>
        <Field
          label={s.name}
          value={name}
          onInput={(text) => {
            setName(text);
            rename.say(undefined);
          }}
          reason={rename.reason}
          reasons={s.reasons}
        />
        <div class="field">
          <label for={id}>{s.description}</label>
          <textarea
            id={id}
            rows={3}
            dir="auto"
            value={description}
            aria-invalid={describe.reason !== undefined}
            aria-describedby={`${id}-why`}
            onInput={(event) => {
              setDescription(event.currentTarget.value);
              describe.say(undefined);
            }}
          />
          <p id={`${id}-why`} class="why" role="alert">
            {describe.reason && sentence(describe.reason, s.descriptionReasons)}
          </p>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={announcements}
            onChange={(event) => setAnnouncements(event.currentTarget.checked)}
          />
          {s.announcements}
        </label>
        <p class="why" role="alert">
          {restrict.reason && sentence(restrict.reason, s.descriptionReasons)}
        </p>
        <button
          type="submit"
          class="button"
          aria-busy={rename.busy || describe.busy || restrict.busy}
          aria-disabled={isOffline}
        >
          {isOffline ? s.offline : s.save}
        </button>
      </form>
    </Sheet>
  );
}
