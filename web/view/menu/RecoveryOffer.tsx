/** Offers a recovery code from the third message on, to whoever has neither that nor a password. */
import { useMemo } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { ConversationState, SignedIn } from '../../state/model.ts';
import { useReadable, useSelected, useSignedIn, useWorld } from '../parts/world.ts';
import { declinedBy, declineRecovery } from '../sheet/recoveryDeclined.ts';
import type { OpenSheet } from '../sheet/Sheets.tsx';

interface RecoveryOfferProps {
  room: string;
  onOpen(sheet: OpenSheet): void;
}

/** A quiet line over the top of the log, where nothing shifts when it appears. */
export function RecoveryOffer({ room, onOpen }: RecoveryOfferProps) {
  const { client } = useWorld();
  const conversation = useMemo(() => client.conversation(room), [client, room]);
  const hasWritten = useSelected(conversation, hasSentSome);
  const user = useSignedIn(({ user }) => user.id);
  const lacksWayBack = useSignedIn(hasNoWayBack);
  const declined = useReadable(declinedBy);
  if (!hasWritten || !lacksWayBack || declined === user) return null;
  const s = sheetTexts().recovery;
  return (
    <p class="line offer">
      <span>{s.offer}</span>
      <button type="button" onClick={() => onOpen({ tag: 'recovery' })}>
        {s.show}
      </button>
      <button type="button" onClick={() => declineRecovery(user)}>
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

/** False while the server has not said it: then nothing flickers. */
function hasNoWayBack({ hasPassword, hasRecoveryCode, connection }: SignedIn): boolean {
  return hasPassword === false && hasRecoveryCode === false && connection.tag === 'live';
}
