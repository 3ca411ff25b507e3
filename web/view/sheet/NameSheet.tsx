import { useState } from 'preact/hooks';
import { shownName } from '../../../shared/text.ts';
import { times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Reason } from '../../records/errorReason.ts';
import type { SignedIn } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';

/** Changes the user's name, which needs a connection: the server knows which names are taken. */
export function NameSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().name;
  const [name, setName] = useState(shownName(app.user.name));
  const action = useAsyncAction();
  const isOffline = app.connection.tag === 'offline';

  const save = (event: Event) => {
    event.preventDefault();
    if (isOffline) return;
    action.run(async () => (await client.people()).rename(name), onClose);
  };
  return (
    <Sheet title={s.title} onClose={onClose}>
      <p>{s.why}</p>
      <form onSubmit={save} noValidate>
        <Field
          label={s.label}
          autocomplete="nickname"
          value={name}
          onInput={(text) => {
            setName(text);
            action.say(undefined);
          }}
          reason={action.reason && inPlainWords(action.reason)}
          reasons="signIn"
        />
        <button type="submit" class="button" aria-busy={action.busy} aria-disabled={isOffline}>
          {isOffline ? s.offline : s.save}
        </button>
      </form>
    </Sheet>
  );
}

/** Codes that the tables of reasons do not have: their messages are shown. */
function inPlainWords(reason: Reason): Reason {
  if (reason.code !== 'forbidden' || reason.retryAfter === undefined) return reason;
  const at = Date.now() + reason.retryAfter;
  const message = sheetTexts().name.tooOften(times.minute(at), times.date(at, Date.now()));
  return { code: 'too-often', message };
}
