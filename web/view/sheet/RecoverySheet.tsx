import { useState } from 'preact/hooks';
import { recoveryGroups } from '../../../shared/recoveryCode.ts';
import { shownName } from '../../../shared/text.ts';
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { recoveryOffer } from './declinedOffers.ts';
import { Sheet } from './Sheet.tsx';

/** Makes a recovery code when asked, since that ends the last one, and shows it this once. */
export function RecoverySheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().recovery;
  const [groups, setGroups] = useState<string[] | undefined>();
  const action = useAsyncAction();
  const make = () =>
    action.run(
      async () => (await client.devices()).makeRecoveryCode(),
      ({ code }) => {
        setGroups(recoveryGroups(code!));
        recoveryOffer.decline(app.user.id);
      },
    );
  return (
    <Sheet title={s.title} onClose={onClose}>
      {groups ? (
        <>
          <p>{s.write(shownName(app.user.name))}</p>
          <ol class="groups" aria-label={s.title}>
            {groups.map((group, n) => (
              <li key={n}>{group}</li>
            ))}
          </ol>
          <p>{s.secret}</p>
          <button type="button" class="button" onClick={onClose}>
            {s.written}
          </button>
        </>
      ) : (
        <>
          <p>{s.why(shownName(app.user.name))}</p>
          {app.hasRecoveryCode && <p>{s.replaces}</p>}
          <p class="why" role="alert">
            {action.reason && sentence(action.reason)}
          </p>
          <button type="button" class="button" aria-busy={action.busy} onClick={make}>
            {s.make}
          </button>
          <button type="button" class="button quiet" onClick={onClose}>
            {t.cancel}
          </button>
        </>
      )}
    </Sheet>
  );
}
