import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Outcome, SignedIn } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';

/** Opens the direct conversation with somebody by their name, or one's notebook. */
export function WriteToForm({ app, onOpened }: { app: SignedIn; onOpened(room: string): void }) {
  const { client } = useWorld();
  const s = sheetTexts().direct;
  const [name, setName] = useState('');
  const find = useAsyncAction();
  const notes = useAsyncAction();
  const opened = ({ room }: { room?: string }) => {
    if (room !== undefined) onOpened(room);
  };
  const write = (event: Event) => {
    event.preventDefault();
    find.run(async (): Promise<Outcome & { room?: string }> => {
      const found = await client.ask('findPerson', name);
      return found.ok && found.person ? client.ask('writeTo', found.person) : found;
    }, opened);
  };
  return (
    <section class="public">
      <h3>{s.title}</h3>
      <form onSubmit={write} noValidate>
        <Field label={s.name} value={name} onInput={setName} reason={find.reason} reasons={s.reasons} />
        <button type="submit" class="button quiet" aria-busy={find.busy}>
          {s.open}
        </button>
        <button
          type="button"
          class="button quiet"
          aria-busy={notes.busy}
          onClick={() => notes.run(() => client.ask('writeTo', app.user), opened)}
        >
          {t.rooms.notes}
        </button>
      </form>
    </section>
  );
}
