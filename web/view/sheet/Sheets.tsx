import { assertNever } from '../../../shared/never.ts';
import type { RoomSummary } from '../../state/model.ts';
import { useSignedIn } from '../parts/world.ts';
import { AddRoomSheet } from './AddRoomSheet.tsx';
import { ShowCodeSheet } from './CodeSheets.tsx';
import { DaySheet } from './DaySheet.tsx';
import { DevicesSheet } from './DevicesSheet.tsx';
import { EditRoomSheet } from './EditRoomSheet.tsx';
import { InviteSheet } from './InviteSheet.tsx';
import { KeeperSheet } from './KeeperSheet.tsx';
import { LeaveSheet } from './LeaveSheet.tsx';
import { MembersSheet } from './MembersSheet.tsx';
import { MenuSheet } from './MenuSheet.tsx';
import { NameSheet } from './NameSheet.tsx';
import { PasswordSheet } from './PasswordSheet.tsx';
import { PeopleSheet } from './PeopleSheet.tsx';
import { ProfileSheet } from './ProfileSheet.tsx';
import { RecoverySheet } from './RecoverySheet.tsx';
import { ReportsSheet } from './ReportsSheet.tsx';
import { SignInSheet, SignUpAgainSheet } from './SignInSheet.tsx';
import { SignOutSheet } from './SignOutSheet.tsx';

/** Which sheet is open. */
export type OpenSheet =
  | { tag: 'menu'; room?: RoomSummary }
  | { tag: 'add' }
  | { tag: 'name' }
  | { tag: 'password' }
  | { tag: 'devices' }
  | { tag: 'code' }
  | { tag: 'recovery' }
  | { tag: 'keeper' }
  | { tag: 'people' }
  | { tag: 'invite'; room: RoomSummary }
  | { tag: 'members'; room: RoomSummary }
  | { tag: 'reports'; room: RoomSummary }
  | { tag: 'profile'; person: { id: string; name: string } }
  | { tag: 'edit-room'; room: RoomSummary }
  | { tag: 'day'; room: RoomSummary }
  | { tag: 'leave'; room: RoomSummary }
  | { tag: 'sign-in' }
  | { tag: 'sign-out' };

export interface SheetsProps {
  open: OpenSheet;
  /** Opens another sheet in place of this one; undefined closes it. */
  onOpen(open: OpenSheet | undefined): void;
}

export function Sheets({ open, onOpen }: SheetsProps) {
  const app = useSignedIn((all) => all);
  const close = () => onOpen(undefined);
  switch (open.tag) {
    case 'menu':
      return <MenuSheet app={app} room={open.room} onOpen={onOpen} />;
    case 'add':
      return <AddRoomSheet app={app} onClose={close} />;
    case 'name':
      return <NameSheet app={app} onClose={close} />;
    case 'password':
      return <PasswordSheet app={app} onClose={close} />;
    case 'devices':
      return <DevicesSheet onClose={close} />;
    case 'code':
      return <ShowCodeSheet onClose={close} />;
    case 'recovery':
      return <RecoverySheet app={app} onClose={close} />;
    case 'keeper':
      return <KeeperSheet app={app} onClose={close} />;
    case 'people':
      return <PeopleSheet app={app} onClose={close} />;
    case 'invite':
      return <InviteSheet app={app} room={open.room} onClose={close} />;
    case 'members':
      return <MembersSheet app={app} room={open.room} onOpen={onOpen} />;
    case 'reports':
      return <ReportsSheet room={open.room.id} onClose={close} />;
    case 'profile':
      return <ProfileSheet app={app} person={open.person} onClose={close} />;
    case 'edit-room':
      return <EditRoomSheet app={app} room={open.room} onClose={close} />;
    case 'day':
      return <DaySheet room={open.room.id} onClose={close} />;
    case 'leave':
      return <LeaveSheet room={open.room} onClose={close} />;
    case 'sign-in':
      return app.connection.tag === 'user-unknown' ? (
        <SignUpAgainSheet app={app} onClose={close} />
      ) : (
        <SignInSheet app={app} onClose={close} />
      );
    case 'sign-out':
      return <SignOutSheet app={app} onOpen={onOpen} />;
    default:
      return assertNever(open);
  }
}
