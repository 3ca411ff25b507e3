import { isInAppBrowser } from '../parts/inAppBrowser.ts';
import { AskedBefore } from './AskSheet.tsx';
import { EnterCode } from './CodeSheets.tsx';
import { EnterInvitation } from './InvitationCode.tsx';
import { LanguageChoice } from './LanguageChoice.tsx';

/** The end of the first screen: what fewer people need. */
export function HelloFoot() {
  return (
    <>
      {!isInAppBrowser(navigator.userAgent) && <EnterInvitation />}
      {!isInAppBrowser(navigator.userAgent) && <EnterCode />}
      <AskedBefore />
      <LanguageChoice />
    </>
  );
}
