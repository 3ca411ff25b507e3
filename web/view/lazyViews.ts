/** The views that the first paint does not need, as one lazy chunk (useLazyViews.ts). */
export { keepFocus } from './keepFocus.ts';
export { AroundLog } from './menu/AroundLog.tsx';
export { LeftRoom, StorageLine } from './menu/BelowLog.tsx';
export { followClock } from './menu/followClock.ts';
export { InstallLine, offerPass, watchForInstall } from './menu/InstallLine.tsx';
export { linked } from './menu/linked.tsx';
export { Offers } from './menu/Offers.tsx';
export { RequestsBar } from './menu/RequestsBar.tsx';
export { TypingLine } from './menu/TypingLine.tsx';
export { followTranslation } from './menu/translated.ts';
export { UnknownRoom } from './menu/UnknownRoom.tsx';
export { quote, ReplyBar } from './menu/useQuotes.tsx';
export { ComeBack } from './sheet/ComeBack.tsx';
export { HelloFoot } from './sheet/HelloFoot.tsx';
export { InvitationNotice, JoinSheet } from './sheet/JoinSheet.tsx';
export { OpenInBrowser } from './sheet/OpenInBrowser.tsx';
export { Sheets } from './sheet/Sheets.tsx';
export { StrangerHint, StrangerLine } from './sheet/StrangerHint.tsx';
