/** The ways back for whoever has no password, or no longer knows it: below the field for the password of a taken name. */
import { useId, useState } from 'preact/hooks';
import { RECOVERY_DIGITS, readRecoveryCode } from '../../../shared/recoveryCode.ts';
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Reason } from '../../records/errorReason.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { AskSheet } from './AskSheet.tsx';
import { Sheet } from './Sheet.tsx';

export function ComeBack({ name }: { name: string }) {
  const [way, setWay] = useState<'recovery' | 'ask' | undefined>();
  const close = () => setWay(undefined);
  return (
    <>
      <button type="button" class="button quiet" onClick={() => setWay('recovery')}>
        {sheetTexts().recovery.have}
      </button>
      <button type="button" class="button quiet" onClick={() => setWay('ask')}>
        {sheetTexts().ask.title}
      </button>
      {way === 'recovery' && <EnterRecoverySheet name={name} onClose={close} />}
      {way === 'ask' && <AskSheet name={name} onClose={close} />}
    </>
  );
}

export function EnterRecoverySheet({ name, onClose }: { name: string; onClose(): void }) {
  const { client } = useWorld();
  const id = useId();
  const s = sheetTexts().recovery;
  const [typed, setTyped] = useState('');
  const [signOutOthers, setSignOutOthers] = useState(false);
  const action = useAsyncAction();
  const enter = (event: Event) => {
    event.preventDefault();
    const read = readRecoveryCode(typed);
    if (read.tag !== 'code') return action.say(reasonOfTyped(read));
    action.run(() => client.signIn(name, undefined, { recovery: read.id, signOutOthers }), onClose);
  };
  const reason = action.reason?.code === 'unauthorized' ? wrongCode(name) : action.reason;
  return (
    <Sheet title={s.enterTitle} onClose={onClose}>
      <form onSubmit={enter} noValidate>
        <div class="field">
          <label for={id}>{s.label}</label>
          <textarea
            id={id}
            rows={3}
            inputMode="numeric"
            autocomplete="off"
            spellcheck={false}
            value={typed}
            aria-invalid={reason !== undefined}
            aria-describedby={`${id}-why`}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
              action.say(undefined);
            }}
          />
          <p id={`${id}-why`} class="why" role="alert">
            {reason && sentence(reason, 'signIn')}
          </p>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={signOutOthers}
            onChange={(event) => setSignOutOthers(event.currentTarget.checked)}
          />
          {s.signOutOthers}
        </label>
        <button type="submit" class="button" aria-busy={action.busy}>
          {t.connection.signIn}
        </button>
      </form>
    </Sheet>
  );
}

/** Codes that the tables of reasons do not have: their messages are shown. */
function reasonOfTyped(read: Exclude<ReturnType<typeof readRecoveryCode>, { tag: 'code' }>): Reason {
  const s = sheetTexts().recovery;
  if (read.tag === 'slip') return { code: 'slip', message: s.slip };
  return { code: 'incomplete', message: s.incomplete(read.digits, RECOVERY_DIGITS) };
}

function wrongCode(name: string): Reason {
  return { code: 'wrong-code', message: sheetTexts().recovery.wrong(name) };
}
