import { t } from '../../i18n/index.ts';
import type { Message } from '../../state/model.ts';

export interface MessageMenuProps {
  message: Message;
  onEdit(): void;
  onRemove(): void;
  onCopy(): void;
  onDetails(): void;
}

/** What can be done with one message. */
export function MessageMenu({ message, onEdit, onRemove, onCopy, onDetails }: MessageMenuProps) {
  const item = (text: string, choose: () => void) => (
    <button type="button" role="menuitem" onClick={choose}>
      {text}
    </button>
  );
  return (
    <div role="menu" aria-label={t.menu.forMessage(message.mine ? t.rooms.you : message.author.name)}>
      {message.can.edit && item(t.menu.edit, onEdit)}
      {message.can.remove && item(t.menu.delete, onRemove)}
      {message.content.tag === 'text' && item(t.menu.copy, onCopy)}
      {item(t.menu.details, onDetails)}
    </div>
  );
}
