import { useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { HiddenUsername, Sheet } from './Sheet.tsx';

/** Sets or changes the user's password. */
export function PasswordSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const action = useAsyncAction();
  // `hasPassword` may be stale, since another device can set a password: `unauthorized` means that there is one.
  const asksCurrent = app.hasPassword === true || action.reason?.code === 'unauthorized';

  const save = (event: Event) => {
    event.preventDefault();
    if (password === '') return action.say({ code: 'empty' });
    action.run(
      () => (asksCurrent ? client.setPassword(password, current) : client.setPassword(password)),
      onClose,
    );
  };
  const wrongCurrent = action.reason?.code === 'unauthorized';
  return (
    <Sheet title={app.hasPassword ? s.menu.changePassword : s.menu.setPassword} onClose={onClose}>
      <p>{app.hasPassword ? s.password.othersEnd : s.password.why}</p>
      <form onSubmit={save} noValidate>
        <HiddenUsername name={app.user.name} />
        {asksCurrent && (
          <Field
            label={s.password.current}
            type="password"
            autocomplete="current-password"
            value={current}
            onInput={setCurrent}
            reason={wrongCurrent ? action.reason : undefined}
            reasons={sheetTexts().reasons.password}
          />
        )}
        <Field
          label={s.password.new}
          type="password"
          autocomplete="new-password"
          value={password}
          onInput={setPassword}
          reason={wrongCurrent ? undefined : action.reason}
          reasons={sheetTexts().reasons.password}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {s.password.save}
        </button>
      </form>
    </Sheet>
  );
}
