import { useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { afterClosing, Sheet } from './Sheet.tsx';

/** For a code that somebody reads from a poster or is told. It leads where the link leads. */
export function InvitationCode({ onClose }: { onClose(): void }) {
  const { router } = useWorld();
  const s = sheetTexts().join;
  const [code, setCode] = useState('');
  const action = useAsyncAction();
  const enter = (event: Event) => {
    event.preventDefault();
    const id = code.normalize('NFKC').replaceAll(/[^\w-]/g, '');
    if (id === '') return action.say({ code: 'empty' });
    onClose();
    afterClosing(() => router.go({ tag: 'join', id }));
  };
  return (
    <form onSubmit={enter} noValidate>
      <Field
        label={s.code}
        value={code}
        reason={action.reason}
        reasons="any"
        onInput={(text) => {
          setCode(text);
          action.say(undefined);
        }}
      />
      <button type="submit" class="button quiet">
        {s.go}
      </button>
    </form>
  );
}

/** On the first screen. */
export function EnterInvitation() {
  const [open, setOpen] = useState(false);
  const s = sheetTexts().join;
  return (
    <>
      <button type="button" class="button quiet" onClick={() => setOpen(true)}>
        {s.have}
      </button>
      {open && (
        <Sheet title={s.have} onClose={() => setOpen(false)}>
          <InvitationCode onClose={() => setOpen(false)} />
        </Sheet>
      )}
    </>
  );
}
