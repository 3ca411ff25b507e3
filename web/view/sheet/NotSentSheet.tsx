import { BODY_MAX_CODE_POINTS } from '../../../shared/limits.ts';
import { codePoints } from '../../../shared/text.ts';
import { t } from '../../i18n/index.ts';
import { sentence } from '../../i18n/reason.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { Message, Outcome } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';

export interface NotSentSheetProps {
  message: Message;
  onClose(): void;
  onEdit(): void;
}

/** Why a message was not sent, and what can be done about it. Its text is kept until one of these is chosen. */
export function NotSentSheet({ message, onClose, onEdit }: NotSentSheetProps) {
  const { client } = useWorld();
  const ask = useAsk();
  const run = (request: () => Promise<Outcome>) => ask.run(request, onClose);
  return (
    <Sheet title={inSheets().notSent.title} onClose={onClose}>
      <p>
        {why(message)} {inSheets().notSent.others}
      </p>
      <p class="why" role="alert">
        {ask.reason && sentence(ask.reason, 'message')}
      </p>
      {message.content.tag === 'text' && (
        <button type="button" class="button" onClick={onEdit}>
          {inSheets().notSent.edit}
        </button>
      )}
      <button
        type="button"
        class="button quiet"
        onClick={() => run(() => client.retry(message.clientOffset))}
      >
        {inSheets().notSent.retry}
      </button>
      <button
        type="button"
        class="button danger"
        onClick={() => run(() => client.discard(message.clientOffset))}
      >
        {inSheets().notSent.discard}
      </button>
    </Sheet>
  );
}

function why({ content, status }: Message): string {
  if (status.tag !== 'not-sent') return '';
  if (status.reason.code === 'too-large' && content.tag === 'text') {
    return t.tooLong(codePoints(content.body), BODY_MAX_CODE_POINTS);
  }
  return sentence(status.reason, 'message');
}
