/** Signing in on another device, or on the home screen, by a code: one sheet shows it, the other one takes it. */
import { useEffect, useState } from 'preact/hooks';
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Reason } from '../../records/errorReason.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';
import { StrangerHint } from './StrangerHint.tsx';

/** Shows a code for another device of the user. */
export function ShowCodeSheet({ onClose }: { onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().code;
  const [code, setCode] = useState<string | undefined>();
  const action = useAsyncAction();
  const make = () =>
    action.run(
      async () => (await client.devices()).makeCode(),
      (answer) => setCode(answer.code),
    );
  useEffect(make, []);
  return (
    <Sheet title={s.title} onClose={onClose}>
      <p>{s.how}</p>
      <output class="code" aria-live="polite" aria-label={code && [...code].join(' ')}>
        {code}
      </output>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason)}
      </p>
      <p>{s.secret}</p>
      <button type="button" class="button quiet" aria-busy={action.busy} onClick={make}>
        {code ? s.another : t.storage.retry}
      </button>
    </Sheet>
  );
}

/** On the first screen, for people who are signed in elsewhere. */
export function EnterCode() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button quiet" onClick={() => setOpen(true)}>
        {sheetTexts().code.already}
      </button>
      {open && <EnterCodeSheet onClose={() => setOpen(false)} />}
    </>
  );
}

function EnterCodeSheet({ onClose }: { onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().code;
  const [code, setCode] = useState('');
  const action = useAsyncAction();
  const enter = (event: Event) => {
    event.preventDefault();
    if (code.trim() === '') return action.say({ code: 'empty' });
    action.run(() => client.signInByCode(code));
  };
  return (
    <Sheet title={s.enterTitle} onClose={onClose}>
      <p>{s.where}</p>
      <form onSubmit={enter} noValidate>
        <Field
          label={s.label}
          value={code}
          autocomplete="one-time-code"
          reason={action.reason && reasonOfCode(action.reason)}
          reasons="any"
          onInput={(text) => {
            setCode(text);
            action.say(undefined);
          }}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {t.connection.signIn}
        </button>
        <StrangerHint reason={action.reason} />
      </form>
    </Sheet>
  );
}

/** A code that the tables of reasons do not have shows its message. */
function reasonOfCode(reason: Reason): Reason {
  const isWrong = reason.code === 'unauthorized';
  return isWrong ? { code: 'wrong-code', message: sheetTexts().code.wrong } : reason;
}
