import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { LOBBY } from '../../shared/mint.ts';
import { t } from '../i18n/index.ts';
import { agreeTo } from './parts/agreed.ts';
import { Field } from './parts/Field.tsx';
import { Mark } from './parts/Icon.tsx';
import { isInAppBrowser } from './parts/inAppBrowser.ts';
import { hasKeyboard } from './parts/keyboard.ts';
import { useAsyncAction } from './parts/useAsyncAction.ts';
import { useReadable, useWorld } from './parts/world.ts';
import { useLazyViews } from './useLazyViews.ts';

/** The first screen. A name is enough to sign up; a password is asked for only if the name is taken. */
export function SignInScreen() {
  const { client, router } = useWorld();
  const route = useReadable(router.route);
  const invite = route.tag === 'join' ? route.id : undefined;
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [taken, setTaken] = useState(false);
  const action = useAsyncAction();
  const lazy = useLazyViews(taken);
  const field = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);

  const conflict = action.reason?.code === 'conflict';
  useLayoutEffect(() => {
    if (conflict) setTaken(true);
  }, [conflict]);
  useLayoutEffect(() => {
    if (action.reason) (taken ? passwordField : field).current?.focus();
  }, [action.reason, taken]);

  useLayoutEffect(() => {
    if (hasKeyboard()) field.current?.focus(); // on a phone the on-screen keyboard would cover the text
  }, []);

  const start = (event: Event) => {
    event.preventDefault();
    if (name.trim() === '') return action.say({ code: 'empty' });
    action.run(
      () => client.signIn(name, taken ? password : undefined, undefined, invite),
      () => {
        if (invite) agreeTo(invite);
        // A new user starts in the lobby, or in the room that a link led to.
        if (!taken && router.route.get().tag === 'rooms') router.go({ tag: 'room', id: LOBBY });
      },
    );
  };

  return (
    <main class="hello">
      <div class="inside">
        <Mark />
        <h1>
          {t.hello.title[0]}
          <br />
          {t.hello.title[1]}
        </h1>
        {invite ? lazy && <lazy.InvitationNotice key={invite} invite={invite} /> : <p>{t.hello.promise}</p>}
        {isInAppBrowser(navigator.userAgent) ? (
          lazy && <lazy.OpenInBrowser />
        ) : (
          <form onSubmit={start} noValidate>
            <Field
              label={t.hello.name}
              value={name}
              autocomplete="username"
              input={field}
              reason={taken ? undefined : action.reason}
              reasons="signIn"
              onInput={(text) => {
                setName(text);
                setTaken(false);
                action.say(undefined);
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
                reason={conflict ? undefined : action.reason}
                reasons="signIn"
                onInput={setPassword}
              />
            )}
            <button type="submit" class="button" aria-busy={action.busy}>
              {invite ? t.hello.join : t.hello.start}
            </button>
            {action.reason && lazy && <lazy.StrangerHint reason={action.reason} />}
            <p class="small">{t.hello.small}</p>
          </form>
        )}
        {taken && lazy && <lazy.ComeBack name={name} />}
        <div class="speaks">{lazy && <lazy.HelloFoot />}</div>
      </div>
    </main>
  );
}
