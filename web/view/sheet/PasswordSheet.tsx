import { useState } from 'preact/hooks';
import { inSheets } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { Field } from '../Field.tsx';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';
import { Username } from './Username.tsx';

export function PasswordSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = inSheets();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const ask = useAsk();
  // The server knows whether there is one; what was known here may be older than what another device did.
  const asksCurrent = app.hasPassword === true || ask.reason?.code === 'unauthorized';

  const save = (event: Event) => {
    event.preventDefault();
    if (password === '') return ask.say({ code: 'empty' });
    ask.run(
      () => (asksCurrent ? client.setPassword(password, current) : client.setPassword(password)),
      onClose,
    );
  };
  const wrongCurrent = ask.reason?.code === 'unauthorized';
  return (
    <Sheet title={app.hasPassword ? s.menu.changePassword : s.menu.setPassword} onClose={onClose}>
      <p>{s.password.why}</p>
      <form onSubmit={save} noValidate>
        <Username name={app.user.name} />
        {asksCurrent && (
          <Field
            label={s.password.current}
            type="password"
            autocomplete="current-password"
            value={current}
            onInput={setCurrent}
            reason={wrongCurrent ? ask.reason : undefined}
            place="password"
          />
        )}
        <Field
          label={s.password.new}
          type="password"
          autocomplete="new-password"
          value={password}
          onInput={setPassword}
          reason={wrongCurrent ? undefined : ask.reason}
          place="password"
        />
        <button type="submit" class="button" aria-busy={ask.busy}>
          {s.password.save}
        </button>
      </form>
    </Sheet>
  );
}
