import { useId, useState } from 'preact/hooks';
import { pairOf } from '../../../shared/directPair.ts';
import { REPORT_MESSAGES_AROUND, REPORT_REASON_MAX_CODE_POINTS } from '../../../shared/limits.ts';
import { isolated, sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Reported } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';

interface ReportSheetProps {
  what: Reported;
  /** Of the person, where that is what is reported. */
  name?: string;
  onClose(): void;
}

/** Reports a message or a person: says who will see what, before anything is sent. */
export function ReportSheet({ what, name, onClose }: ReportSheetProps) {
  const { client } = useWorld();
  const s = sheetTexts().report;
  const id = useId();
  const [reason, setReason] = useState('');
  const [isSent, setIsSent] = useState(false);
  const action = useAsyncAction();
  const title = name === undefined ? s.title : s.titleOf(isolated(name));
  const send = (event: Event) => {
    event.preventDefault();
    action.run(
      async () => (await client.people()).report(what, reason),
      () => setIsSent(true),
    );
  };
  return (
    <Sheet title={title} onClose={onClose}>
      <p role="status">{isSent && s.sent}</p>
      {isSent ? (
        <button type="button" class="button" onClick={onClose}>
          {s.done}
        </button>
      ) : (
        <form onSubmit={send} noValidate>
          <p>{whoSees(what)}</p>
          <div class="field">
            <label for={id}>{s.reason}</label>
            <textarea
              id={id}
              rows={3}
              maxLength={REPORT_REASON_MAX_CODE_POINTS}
              autocomplete="off"
              value={reason}
              aria-invalid={action.reason !== undefined}
              aria-describedby={`${id}-why`}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
            <p id={`${id}-why`} class="why" role="alert">
              {action.reason && sentence(action.reason, s.reasons)}
            </p>
          </div>
          <button type="submit" class="button" aria-busy={action.busy}>
            {s.send}
          </button>
          <button type="button" class="button quiet" onClick={onClose}>
            {t.cancel}
          </button>
        </form>
      )}
    </Sheet>
  );
}

function whoSees(what: Reported): string {
  const s = sheetTexts().report;
  if ('person' in what) return s.ofPerson;
  return pairOf(what.room) ? s.toKeepers(REPORT_MESSAGES_AROUND) : s.toModerators(REPORT_MESSAGES_AROUND);
}
