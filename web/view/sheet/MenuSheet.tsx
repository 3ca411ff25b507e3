import { t } from '../../i18n/index.ts';
import type { RoomSummary, SignedIn } from '../../state/model.ts';
import { Sheet } from './Sheet.tsx';
import type { SheetsProps } from './Sheets.tsx';

export interface MenuSheetProps {
  app: SignedIn;
  /** The room whose menu it is; the list of rooms has one, too. */
  room: RoomSummary | undefined;
  onOpen: SheetsProps['onOpen'];
}

export function MenuSheet({ app, room, onOpen }: MenuSheetProps) {
  return (
    <Sheet title={room?.name ?? t.app} onClose={() => onOpen(undefined)}>
      <p>{t.menu.as(app.user.name)}</p>
      {!app.startsOffline && <p>{t.menu.needsHttps}</p>}
      <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'password' })}>
        {app.hasPassword ? t.menu.changePassword : t.menu.setPassword}
      </button>
      {room && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'leave', room })}>
          {t.menu.leave}
        </button>
      )}
      <button type="button" class="button danger" onClick={() => onOpen({ tag: 'sign-out' })}>
        {t.menu.signOut}
      </button>
    </Sheet>
  );
}
