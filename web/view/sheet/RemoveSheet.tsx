import { t } from '../../i18n/index.ts';
import { sentence } from '../../i18n/reason.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { Message } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';

export interface RemoveSheetProps {
  room: string;
  message: Message;
  onClose(): void;
}

/** Asks once: what is deleted for everybody does not come back. */
export function RemoveSheet({ room, message, onClose }: RemoveSheetProps) {
  const { client } = useWorld();
  const ask = useAsk();
  const texts = inSheets().remove;
  const unsent = message.serverOffset === undefined && message.status.tag === 'queued';
  return (
    <Sheet title={texts.title} onClose={onClose}>
      <p>{unsent ? texts.unsent : texts.sent}</p>
      <p class="why" role="alert">
        {ask.reason && sentence(ask.reason, 'message')}
      </p>
      <button
        type="button"
        class="button danger"
        aria-busy={ask.busy}
        onClick={() => ask.run(() => client.remove(room, message.clientOffset), onClose)}
      >
        {inSheets().message.delete}
      </button>
      <button type="button" class="button quiet" onClick={onClose}>
        {t.cancel}
      </button>
    </Sheet>
  );
}
