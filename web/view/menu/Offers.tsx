/**
 * What the app offers from the third message on, one thing at a time: the first user of a server without keepers is asked to
 * become one; whoever has neither password nor recovery code, to make a code.
 */
import { useMemo } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { ConversationState, SignedIn } from '../../state/model.ts';
import { useReadable, useSelected, useSignedIn, useWorld } from '../parts/world.ts';
import { keeperOffer, recoveryOffer } from '../sheet/declinedOffers.ts';
import type { OpenSheet } from '../sheet/Sheets.tsx';

interface OffersProps {
  room: string;
  onOpen(sheet: OpenSheet): void;
}

/** A quiet line over the top of the log, where nothing shifts when it appears. */
export function Offers({ room, onOpen }: OffersProps) {
  const { client } = useWorld();
  const conversation = useMemo(() => client.conversation(room), [client, room]);
  const hasWritten = useSelected(conversation, hasSentSome);
  const user = useSignedIn(({ user }) => user.id);
  const needed = useSignedIn(neededBy);
  const noKeeper = useReadable(keeperOffer.by) === user;
  const noRecovery = useReadable(recoveryOffer.by) === user;
  if (!hasWritten) return null;
  const s = sheetTexts();
  if (needed.keeper && !noKeeper)
    return (
      <Offer
        text={s.keeper.offer}
        action={s.keeper.more}
        onAccept={() => onOpen({ tag: 'keeper' })}
        onDecline={() => keeperOffer.decline(user)}
      />
    );
  if (needed.recovery && !noRecovery)
    return (
      <Offer
        text={s.recovery.offer}
        action={s.recovery.show}
        onAccept={() => onOpen({ tag: 'recovery' })}
        onDecline={() => recoveryOffer.decline(user)}
      />
    );
  return null;
}

interface OfferProps {
  text: string;
  action: string;
  onAccept(): void;
  onDecline(): void;
}

function Offer({ text, action, onAccept, onDecline }: OfferProps) {
  return (
    <p class="line offer">
      <span>{text}</span>
      <button type="button" onClick={onAccept}>
        {action}
      </button>
      <button type="button" onClick={onDecline}>
        {sheetTexts().install.dismiss}
      </button>
    </p>
  );
}

/** Of the messages on the screen. */
const MESSAGES_BEFORE_OFFER = 3;

function hasSentSome({ messages }: ConversationState): boolean {
  let sent = 0;
  return messages.some(
    ({ mine, status }) => mine && status.tag === 'sent' && ++sent === MESSAGES_BEFORE_OFFER,
  );
}

/** Nothing while there is no connection: an offer could not be taken up. */
function neededBy({ role, hasPassword, hasRecoveryCode, connection }: SignedIn) {
  const live = connection.tag === 'live';
  return {
    keeper: live && role === 'first',
    recovery: live && hasPassword === false && hasRecoveryCode === false,
  };
}
