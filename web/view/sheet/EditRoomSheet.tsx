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

/** For owners and moderators: the name and the description of a room, which the server keeps for everybody. */
export function EditRoomSheet({ app, room, onClose }: EditRoomSheetProps) {
  const { client } = useWorld();
  const s = sheetTexts().editRoom;
  const [name, setName] = useState(roomName(room));
  const [description, setDescription] = useState(room.about?.description ?? '');
  const rename = useAsyncAction();
  const describe = useAsyncAction();
  const id = useId();
  const isOffline = app.connection.tag === 'offline';

  const saveDescription = () => {
    if (description.trim() === (room.about?.description ?? '')) return onClose();
    describe.run(() => client.ask('changeRoom', room.id, { description }), onClose);
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
        <button
          type="submit"
          class="button"
          aria-busy={rename.busy || describe.busy}
          aria-disabled={isOffline}
        >
          {isOffline ? s.offline : s.save}
        </button>
      </form>
    </Sheet>
  );
}
