import { assertNever } from '../../../shared/never.ts';
import type { RoomSummary, SignedIn } from '../../state/model.ts';
import { AddRoomSheet } from './AddRoomSheet.tsx';
import { LeaveSheet } from './LeaveSheet.tsx';
import { MenuSheet } from './MenuSheet.tsx';
import { PasswordSheet } from './PasswordSheet.tsx';
import { SignInSheet } from './SignInSheet.tsx';
import { SignOutSheet } from './SignOutSheet.tsx';
import { SignUpAgainSheet } from './SignUpAgainSheet.tsx';

export { keepFocus } from '../keepFocus.ts';
export { AroundLog } from '../menu/AroundLog.tsx';
export { LeftRoom, StorageLine } from '../menu/BelowLog.tsx';
export { LanguageChoice } from './LanguageChoice.tsx';

/** Which sheet is open. */
export type Opened =
  | { tag: 'menu'; room?: RoomSummary }
  | { tag: 'add' }
  | { tag: 'password' }
  | { tag: 'leave'; room: RoomSummary }
  | { tag: 'sign-in' }
  | { tag: 'sign-out' };

export interface SheetsProps {
  opened: Opened;
  app: SignedIn;
  /** Another sheet in the place of this one, or none. */
  onOpen(opened: Opened | undefined): void;
}

export function Sheets({ opened, app, onOpen }: SheetsProps) {
  const close = () => onOpen(undefined);
  switch (opened.tag) {
    case 'menu':
      return <MenuSheet app={app} room={opened.room} onOpen={onOpen} />;
    case 'add':
      return <AddRoomSheet app={app} onClose={close} />;
    case 'password':
      return <PasswordSheet app={app} onClose={close} />;
    case 'leave':
      return <LeaveSheet room={opened.room} onClose={close} />;
    case 'sign-in':
      return app.connection.tag === 'unknown' ? (
        <SignUpAgainSheet app={app} onClose={close} />
      ) : (
        <SignInSheet app={app} onClose={close} />
      );
    case 'sign-out':
      return <SignOutSheet app={app} onOpen={onOpen} />;
    default:
      return assertNever(opened);
  }
}
