import { useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { afterClosing, Sheet } from './Sheet.tsx';

/** Opens the log of a room at the first message of a day, as the reader's clock has it. */
export function DaySheet({ room, onClose }: { room: string; onClose(): void }) {
  const { client, router } = useWorld();
  const { day } = sheetTexts();
  const [date, setDate] = useState('');
  const action = useAsyncAction();
  const go = (event: Event) => {
    event.preventDefault();
    const time = dayOf(date);
    if (!time) return action.say({ code: 'empty' });
    action.run(
      async () => {
        const found = await client.ask('firstOfDay', room, ...time);
        return found.ok && found.serverOffset === undefined
          ? { ok: false, reason: { code: 'nothing' } }
          : found;
      },
      ({ serverOffset }) => {
        onClose();
        if (serverOffset) afterClosing(() => router.go({ tag: 'room', id: room, at: serverOffset }));
      },
    );
  };
  return (
    <Sheet title={day.open} onClose={onClose}>
      <form onSubmit={go} noValidate>
        <Field
          label={day.date}
          type="date"
          value={date}
          onInput={setDate}
          reason={action.reason}
          reasons={day.reasons}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {day.go}
        </button>
      </form>
    </Sheet>
  );
}

/** From the first moment of the day to that of the next one, by the reader's clock: a day may have 23 or 25 hours. */
export function dayOf(date: string): [from: number, to: number] | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date)?.map(Number) ?? [];
  if (!year || !month || !day) return undefined;
  const from = new Date(year, month - 1, day).getTime();
  return from >= 0 ? [from, new Date(year, month - 1, day + 1).getTime()] : undefined;
}
