import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import type { SignedIn } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { Field } from '../Field.tsx';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';
import { Username } from './Username.tsx';

export function PasswordSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
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
    <Sheet title={app.hasPassword ? t.menu.changePassword : t.menu.setPassword} onClose={onClose}>
      <p>{t.password.why}</p>
      <form onSubmit={save} noValidate>
        <Username name={app.user.name} />
        {asksCurrent && (
          <Field
            label={t.password.current}
            type="password"
            autocomplete="current-password"
            value={current}
            onInput={setCurrent}
            reason={wrongCurrent ? ask.reason : undefined}
            place="password"
          />
        )}
        <Field
          label={t.password.new}
          type="password"
          autocomplete="new-password"
          value={password}
          onInput={setPassword}
          reason={wrongCurrent ? undefined : ask.reason}
          place="password"
        />
        <button type="submit" class="button" aria-busy={ask.busy}>
          {t.password.save}
        </button>
      </form>
    </Sheet>
  );
}
