import { assertNever } from '../../../shared/never.ts';
import { t, times } from '../../i18n/index.ts';
import type { Message } from '../../state/model.ts';
import { Sheet } from './Sheet.tsx';

export interface StatusSheetProps {
  message: Message;
  onClose(): void;
}

/** What became of a message, in plain words (O3). */
export function StatusSheet({ message, onClose }: StatusSheetProps) {
  const { content, status } = message;
  return (
    <Sheet title={t.menu.details} onClose={onClose}>
      <p>{fateOf(message)}</p>
      {content.tag === 'deleted' && status.tag === 'sent' && <p>{t.details.deleted}</p>}
      {content.tag === 'text' && content.edited && status.tag === 'sent' && <p>{t.details.edited}</p>}
    </Sheet>
  );
}

function fateOf({ status, at }: Message): string {
  const when = times.minute(at);
  switch (status.tag) {
    case 'queued':
    case 'sending':
    case 'checking':
    case 'sent':
      return t.details[status.tag](when);
    case 'not-sent':
      return t.details.notSent(when);
    default:
      return assertNever(status);
  }
}
