import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { LOBBY } from '../../shared/mint.ts';
import { t } from '../i18n/index.ts';
import { useWorld } from './context.ts';
import { Field } from './Field.tsx';
import { Mark } from './Icon.tsx';
import { hasKeyboard } from './keyboard.ts';
import { useAsk } from './useAsk.ts';
import { useSheets } from './useSheets.ts';

/** The first screen: a name and off you go; a password only where the name is somebody's already. */
export function Hello() {
  const { client, router } = useWorld();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [taken, setTaken] = useState(false);
  const ask = useAsk();
  const sheets = useSheets(taken);
  const field = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);

  const conflict = ask.reason?.code === 'conflict';
  useLayoutEffect(() => {
    if (conflict) setTaken(true);
  }, [conflict]);
  useLayoutEffect(() => {
    if (ask.reason) (taken ? passwordField : field).current?.focus();
  }, [ask.reason, taken]);

  useLayoutEffect(() => {
    if (hasKeyboard()) field.current?.focus(); // on a phone it would cover the promise with a keyboard
  }, []);

  const start = (event: Event) => {
    event.preventDefault();
    if (name.trim() === '') return ask.say({ code: 'empty' });
    ask.run(
      () => (taken ? client.signIn(name, password) : client.signIn(name)),
      () => {
        if (!taken) router.go({ tag: 'room', id: LOBBY }); // who is new begins in a conversation
      },
    );
  };

  return (
    <main class="hello">
      <form onSubmit={start} noValidate>
        <Mark />
        <h1>
          {t.hello.title[0]}
          <br />
          {t.hello.title[1]}
        </h1>
        <p>{t.hello.promise}</p>
        <Field
          label={t.hello.name}
          value={name}
          autocomplete="username"
          input={field}
          reason={taken ? undefined : ask.reason}
          place="signIn"
          onInput={(text) => {
            setName(text);
            setTaken(false);
            ask.say(undefined);
          }}
        />
        {taken && (
          <Field
            label={t.hello.password}
            hint={t.hello.taken}
            type="password"
            value={password}
            autocomplete="current-password"
            input={passwordField}
            reason={conflict ? undefined : ask.reason}
            place="signIn"
            onInput={setPassword}
          />
        )}
        <button type="submit" class="button" aria-busy={ask.busy}>
          {t.hello.start}
        </button>
        <p class="small">{t.hello.small}</p>
        <div class="speaks">{sheets && <sheets.LanguageChoice />}</div>
      </form>
    </main>
  );
}
