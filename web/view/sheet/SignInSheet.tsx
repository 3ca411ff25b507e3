import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { Field } from '../Field.tsx';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';
import { Username } from './Username.tsx';

/** The session is no more, everything else is still here: the password takes up where it ended. */
export function SignInSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = inSheets();
  const [password, setPassword] = useState('');
  const ask = useAsk();
  const signIn = (event: Event) => {
    event.preventDefault();
    if (password === '') return ask.say({ code: 'empty' });
    ask.run(() => client.signIn(app.user.name, password), onClose);
  };
  return (
    <Sheet title={s.signIn.title} onClose={onClose}>
      <p>{s.signIn.why(app.user.name)}</p>
      <form onSubmit={signIn} noValidate>
        <Username name={app.user.name} />
        <Field
          label={t.hello.password}
          type="password"
          autocomplete="current-password"
          value={password}
          onInput={setPassword}
          reason={ask.reason}
          place={ask.reason?.code === 'empty' ? 'password' : 'signIn'}
        />
        <button type="submit" class="button" aria-busy={ask.busy}>
          {t.connection.signIn}
        </button>
      </form>
    </Sheet>
  );
}
