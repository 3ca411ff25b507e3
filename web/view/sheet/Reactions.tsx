/** Reacting with any emoji, and who has reacted. */
import { useEffect, useState } from 'preact/hooks';
import { isolated } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Message, ReactedBy } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';

export interface ReactSheetProps {
  room: string;
  message: Message;
  onClose(): void;
}

/** A field for an emoji: every device has a keyboard for all of them. */
export function ReactSheet({ room, message, onClose }: ReactSheetProps) {
  const { client } = useWorld();
  const action = useAsyncAction();
  const [text, setText] = useState('');
  const texts = sheetTexts().react;
  return (
    <Sheet title={sheetTexts().message.react} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          action.run(() => client.react(room, message, text, true), onClose);
        }}
      >
        <Field
          label={texts.label}
          hint={texts.hint}
          value={text}
          onInput={setText}
          reasons={texts.reasons}
          reason={action.reason}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {texts.send}
        </button>
      </form>
    </Sheet>
  );
}

/** Who reacts with what: asked again whenever the counts change. */
export function ReactorLines({ room, message }: Pick<ReactSheetProps, 'room' | 'message'>) {
  const { client } = useWorld();
  const [reactors, setReactors] = useState<ReactedBy[]>([]);
  const { serverOffset, reactions } = message;
  useEffect(() => {
    let isOver = false;
    // nothing is said where the database cannot be read
    if (serverOffset !== undefined)
      client.ask('reactors', room, serverOffset).then(
        (found) => isOver || (found.ok && setReactors(found.reactors)),
        () => {},
      );
    return () => {
      isOver = true;
    };
  }, [client, room, serverOffset, reactions]);
  const { reactedBy, andOthers } = sheetTexts().details;
  return (
    <>
      {reactors.map(({ emoji, names, others }) => (
        <p key={emoji}>{reactedBy(emoji, others > 0 ? andOthers(listed(names), others) : listed(names))}</p>
      ))}
    </>
  );
}

export function listed(names: readonly string[]): string {
  return names.map((name) => isolated(name || sheetTexts().typing.somebody)).join(sheetTexts().details.comma);
}
