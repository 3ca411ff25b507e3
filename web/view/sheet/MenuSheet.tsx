import { shownName } from '../../../shared/text.ts';
import { roomName, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { RoomSummary, SignedIn } from '../../state/model.ts';
import { LanguageChoice } from './LanguageChoice.tsx';
import { PresenceChoices } from './PresenceChoice.tsx';
import { ReportsButton } from './ReportsSheet.tsx';
import { RoomWishesPart } from './RoomWishesPart.tsx';
import { Sheet } from './Sheet.tsx';
import type { SheetsProps } from './Sheets.tsx';

export interface MenuSheetProps {
  app: SignedIn;
  /** Undefined: the menu of the list of rooms. */
  room: RoomSummary | undefined;
  onOpen: SheetsProps['onOpen'];
}

export function MenuSheet({ app, room: opened, onOpen }: MenuSheetProps) {
  const room = opened && (app.rooms.find(({ id }) => id === opened.id) ?? opened); // as it is now
  const s = sheetTexts();
  const isMember = room?.member && !room.making;
  return (
    <Sheet title={room ? roomName(room) : t.app} onClose={() => onOpen(undefined)}>
      {room?.about?.description && (
        <p class="described" dir="auto" translate={false}>
          {room.about.description}
        </p>
      )}
      {isMember && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'members', room })}>
          {s.presence.open}
        </button>
      )}
      {isMember && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'day', room })}>
          {s.day.open}
        </button>
      )}
      {isMember && room.kind !== 'direct' && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'invite', room })}>
          {s.menu.invite}
        </button>
      )}
      {isMember && room.role && room.kind !== 'direct' && app.connection.tag === 'live' && (
        <ReportsButton room={room.id} onOpen={() => onOpen({ tag: 'reports', room })} />
      )}
      {isMember && room.role && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'edit-room', room })}>
          {s.editRoom.title}
        </button>
      )}
      {room?.member && <RoomWishesPart room={room} onClose={() => onOpen(undefined)} />}
      {room && !room.making && room.kind !== 'direct' && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'leave', room })}>
          {s.menu.leave}
        </button>
      )}
      {room ? <h3>{s.menu.as(shownName(app.user.name))}</h3> : <p>{s.menu.as(shownName(app.user.name))}</p>}
      {!app.startsOffline && <p>{s.menu.needsHttps}</p>}
      <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'name' })}>
        {s.name.title}
      </button>
      <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'password' })}>
        {app.hasPassword ? s.menu.changePassword : s.menu.setPassword}
      </button>
      <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'devices' })}>
        {s.devices.title}
      </button>
      <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'code' })}>
        {s.code.title}
      </button>
      <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'recovery' })}>
        {s.recovery.title}
      </button>
      {app.role && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'keeper' })}>
          {s.keeper.title}
        </button>
      )}
      {app.role === 'keeper' && (
        <button type="button" class="button quiet" onClick={() => onOpen({ tag: 'people' })}>
          {s.people.title}
        </button>
      )}
      <PresenceChoices isLive={app.connection.tag === 'live'} />
      <LanguageChoice />
      <button type="button" class="button danger" onClick={() => onOpen({ tag: 'sign-out' })}>
        {s.menu.signOut}
      </button>
    </Sheet>
  );
}
