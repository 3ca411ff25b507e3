import { sentence } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { RoomSummary, RoomWishes } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { afterClosing } from './Sheet.tsx';

/** What the person wants of a room, as buttons of its menu. After hiding and marking it, the list is shown. */
export function RoomWishesPart({ room, onClose }: { room: RoomSummary; onClose(): void }) {
  const { client, router } = useWorld();
  const s = sheetTexts().wishes;
  const action = useAsyncAction();
  const { muted, pinned, hidden } = room.wishes;
  const button = (text: string, wish: Partial<RoomWishes>, isLeft = false) => (
    <button
      type="button"
      class="button quiet"
      aria-busy={action.busy}
      onClick={() =>
        action.run(
          () => client.ask('choose', room.id, wish),
          () => {
            onClose();
            if (isLeft) afterClosing(() => router.go({ tag: 'rooms' }));
          },
        )
      }
    >
      {text}
    </button>
  );
  return (
    <>
      {action.reason && (
        <p class="why" role="alert">
          {sentence(action.reason)}
        </p>
      )}
      {button(s.markUnread, { unread: true }, true)}
      {button(pinned ? s.unpin : s.pin, { pinned: !pinned })}
      {/* what was hidden and came back with something new must not disappear by being muted */}
      {button(
        muted ? s.unmute : s.mute,
        muted || hidden ? { muted: !muted } : { muted: true, hidden: false },
      )}
      {hidden ? button(s.show, { hidden: false }) : button(s.hide, { hidden: true }, true)}
    </>
  );
}
