/** Sheets to sign in again: with a session that has ended, or on a server that no longer knows the user. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { nameKey, shownName } from '../../../shared/text.ts';
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { EnterRecoverySheet } from './ComeBack.tsx';
import { HiddenUsername, Sheet } from './Sheet.tsx';
import { StrangerHint } from './StrangerHint.tsx';

/** Signs in again after the session has ended. Everything on the device is still there. */
export function SignInSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts();
  const [password, setPassword] = useState('');
  const [recovering, setRecovering] = useState(false);
  const action = useAsyncAction();
  const signIn = (event: Event) => {
    event.preventDefault();
    if (password === '') return action.say({ code: 'empty' });
    action.run(() => client.signIn(app.user.name, password), onClose);
  };
  if (recovering) return <EnterRecoverySheet name={app.user.name} onClose={onClose} />;
  return (
    <Sheet title={s.signIn.title} onClose={onClose}>
      <p>{s.signIn.why(shownName(app.user.name))}</p>
      <form onSubmit={signIn} noValidate>
        <HiddenUsername name={app.user.name} />
        <Field
          label={t.hello.password}
          type="password"
          autocomplete="current-password"
          value={password}
          onInput={setPassword}
          reason={action.reason}
          reasons={action.reason?.code === 'empty' ? sheetTexts().reasons.password : 'signIn'}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {t.connection.signIn}
        </button>
        <StrangerHint reason={action.reason} />
      </form>
      <button type="button" class="button quiet" onClick={() => setRecovering(true)}>
        {sheetTexts().recovery.have}
      </button>
    </Sheet>
  );
}

/**
 * Signs up again on a server that was restored to a backup from before this user existed. What waits in the outbox is sent
 * as the new user. The name can be changed only if somebody else has it by now.
 */
export function SignUpAgainSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts();
  const { user } = app;
  const [name, setName] = useState(user.name);
  const [password, setPassword] = useState('');
  const [taken, setTaken] = useState(false);
  const action = useAsyncAction();

  const conflict = action.reason?.code === 'conflict';
  useLayoutEffect(() => {
    if (conflict) setTaken(true);
  }, [conflict]);

  const isSameName = nameKey(name) === nameKey(user.name);
  const asksPassword = isSameName && (taken || app.hasPassword === true);
  const signUp = (event: Event) => {
    event.preventDefault();
    if (taken && isSameName && password === '') return action.say({ code: 'empty' });
    action.run(() => client.signIn(name, isSameName ? password : undefined), onClose);
  };
  return (
    <Sheet title={s.signIn.title} onClose={onClose}>
      <p>{taken ? s.signIn.taken(shownName(user.name)) : s.signIn.unknown(shownName(user.name))}</p>
      <form onSubmit={signUp} noValidate>
        {taken ? (
          <Field
            label={t.hello.name}
            value={name}
            autocomplete="username"
            reason={isSameName ? undefined : action.reason}
            reasons="signIn"
            onInput={(text) => {
              setName(text);
              action.say(undefined);
            }}
          />
        ) : (
          <HiddenUsername name={user.name} />
        )}
        {asksPassword && (
          <Field
            label={t.hello.password}
            {...(taken ? {} : { hint: s.signIn.password })}
            type="password"
            autocomplete="current-password"
            value={password}
            onInput={setPassword}
            reason={conflict ? undefined : action.reason}
            reasons={action.reason?.code === 'empty' ? sheetTexts().reasons.password : 'signIn'}
          />
        )}
        <button type="submit" class="button" aria-busy={action.busy}>
          {t.connection.signIn}
        </button>
        <p class="why" role="alert">
          {!taken && !asksPassword && action.reason && sentence(action.reason, 'signIn')}
        </p>
        <StrangerHint reason={action.reason} />
      </form>
    </Sheet>
  );
}
