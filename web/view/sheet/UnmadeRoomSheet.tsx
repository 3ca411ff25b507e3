import { useState } from 'preact/hooks';
import { sentence } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Message } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useSignedIn, useWorld } from '../parts/world.ts';
import { afterClosing, Sheet } from './Sheet.tsx';

interface UnmadeRoomSheetProps {
  room: string;
  /** Its `content` is the room that was not made. */
  message: Message;
  onClose(): void;
}

/**
 * Why a room was not made, with the choice to try again, perhaps under another name, or to give it up. What was written in it goes
 * with it: sent once the room is made, or deleted after a question.
 */
export function UnmadeRoomSheet({ room, message, onClose }: UnmadeRoomSheetProps) {
  const { client, router } = useWorld();
  const { unmade, reasons, notSent } = sheetTexts();
  const { content, status, clientOffset } = message;
  const before = content.tag === 'creation' ? content.of : '';
  const [name, setName] = useState(before);
  const [isAsking, setIsAsking] = useState(false);
  const action = useAsyncAction();
  const behind = useSignedIn(({ rooms }) => {
    const { waiting = 1, notSent = 0, draft = '' } = rooms.find(({ id }) => id === room) ?? {};
    return waiting + notSent - 1 + Number(draft !== '');
  });
  const tryAgain = (event: Event) => {
    event.preventDefault();
    const changed = name.trim() !== before.trim();
    action.run(() => (changed ? client.amend(clientOffset, name) : client.retry(clientOffset)), onClose);
  };
  const discard = () => {
    if (behind > 0 && !isAsking) return setIsAsking(true);
    action.run(
      () => client.discard(clientOffset),
      () => {
        onClose();
        afterClosing(() => router.go({ tag: 'rooms' }));
      },
    );
  };
  return (
    <Sheet title={unmade.title} onClose={onClose}>
      <p>{status.tag === 'not-sent' && sentence(status.reason, reasons.room)}</p>
      <form onSubmit={tryAgain} noValidate>
        <Field
          label={unmade.name}
          value={name}
          onInput={setName}
          reason={action.reason}
          reasons={reasons.room}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {notSent.retry}
        </button>
      </form>
      <p role="alert">{isAsking && unmade.deletes(behind)}</p>
      <button type="button" class="button danger" onClick={discard}>
        {isAsking ? unmade.confirm : unmade.discard}
      </button>
    </Sheet>
  );
}
