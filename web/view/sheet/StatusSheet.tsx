import { assertNever } from '../../../shared/never.ts';
import { times } from '../../i18n/index.ts';
import { inSheets } from '../../i18n/sheets.ts';
import { dayKey } from '../../i18n/times.ts';
import type { Message } from '../../state/model.ts';
import { Sheet } from './Sheet.tsx';

export interface StatusSheetProps {
  message: Message;
  onClose(): void;
}

/** What became of a message, in plain words (O3). */
export function StatusSheet({ message, onClose }: StatusSheetProps) {
  const { content, status, pending } = message;
  const settled = pending === 'none' && status.tag === 'sent';
  return (
    <Sheet title={inSheets().message.details} onClose={onClose}>
      <p>{fateOf(message)}</p>
      {pending === 'edit' && <p>{inSheets().details.changing}</p>}
      {pending === 'delete' && <p>{inSheets().details.deleting}</p>}
      {content.tag === 'deleted' && settled && <p>{inSheets().details.deleted}</p>}
      {content.tag === 'text' && content.edited && settled && <p>{inSheets().details.edited}</p>}
    </Sheet>
  );
}

function fateOf({ status, at }: Message): string {
  const when = momentOf(at, Date.now());
  switch (status.tag) {
    case 'queued':
    case 'sending':
    case 'checking':
    case 'sent':
      return inSheets().details[status.tag](when);
    case 'not-sent':
      return inSheets().details.notSent(when);
    default:
      return assertNever(status);
  }
}

/** The time alone only where it can be of no other day. */
function momentOf(at: number, now: number): string {
  const time = times.minute(at);
  return dayKey(at) === dayKey(now) ? time : inSheets().details.onDay(time, times.date(at, now));
}
