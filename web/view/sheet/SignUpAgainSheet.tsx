import { useLayoutEffect, useState } from 'preact/hooks';
import { nameKey } from '../../../shared/text.ts';
import { t } from '../../i18n/index.ts';
import { sentence } from '../../i18n/reason.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { Field } from '../Field.tsx';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';
import { Username } from './Username.tsx';

/** The server knows this person no more: signing up anew takes along what waits. Another name only where theirs is taken. */
export function SignUpAgainSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = inSheets();
  const { user } = app;
  const [name, setName] = useState(user.name);
  const [password, setPassword] = useState('');
  const [taken, setTaken] = useState(false);
  const ask = useAsk();

  const conflict = ask.reason?.code === 'conflict';
  useLayoutEffect(() => {
    if (conflict) setTaken(true);
  }, [conflict]);

  const isTheirs = nameKey(name) === nameKey(user.name);
  const asksPassword = isTheirs && (taken || app.hasPassword === true);
  const signUp = (event: Event) => {
    event.preventDefault();
    if (taken && isTheirs && password === '') return ask.say({ code: 'empty' });
    ask.run(() => client.signIn(name, isTheirs ? password : undefined), onClose);
  };
  return (
    <Sheet title={s.signIn.title} onClose={onClose}>
      <p>{taken ? s.signIn.taken(user.name) : s.signIn.unknown(user.name)}</p>
      <form onSubmit={signUp} noValidate>
        {taken ? (
          <Field
            label={t.hello.name}
            value={name}
            autocomplete="username"
            reason={isTheirs ? undefined : ask.reason}
            place="signIn"
            onInput={(text) => {
              setName(text);
              ask.say(undefined);
            }}
          />
        ) : (
          <Username name={user.name} />
        )}
        {asksPassword && (
          <Field
            label={t.hello.password}
            {...(taken ? {} : { hint: s.signIn.password })}
            type="password"
            autocomplete="current-password"
            value={password}
            onInput={setPassword}
            reason={conflict ? undefined : ask.reason}
            place={ask.reason?.code === 'empty' ? 'password' : 'signIn'}
          />
        )}
        <button type="submit" class="button" aria-busy={ask.busy}>
          {t.connection.signIn}
        </button>
        <p class="why" role="alert">
          {!taken && !asksPassword && ask.reason && sentence(ask.reason, 'signIn')}
        </p>
      </form>
    </Sheet>
  );
}
