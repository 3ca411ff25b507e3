/**
 * How the app gets to the home screen. Only there its storage lasts: browsers empty the storage of pages that were not used
 * for some time. Loaded with the lazy views, which is soon enough to hear `beforeinstallprompt`.
 */
import { useMemo } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import { createCell } from '../../records/cell.ts';
import type { ConversationState } from '../../state/model.ts';
import { isInAppBrowser } from '../parts/inAppBrowser.ts';
import { useReadable, useSelected, useWorld } from '../parts/world.ts';

/** Only Chromium has it. */
interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

/** How to install the app in this browser; undefined where there is no way, or where nothing is to be said (any more). */
type Way = { tag: 'share' } | { tag: 'prompt'; event: InstallPrompt } | undefined;

const way = createCell<Way>(undefined);

/** Only WebKit of iOS has it: false in a browser, true on the home screen. */
const standalone = (navigator as { standalone?: boolean }).standalone;

/** Call once. */
export function watchForInstall(window: Window): void {
  if (isInAppBrowser(navigator.userAgent)) return;
  if (standalone === false && !wasDismissed()) way.set({ tag: 'share' });
  window.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault(); // our line instead of the browser's bar
    const isInstalled = window.matchMedia('(display-mode: standalone)').matches;
    if (!isInstalled && !wasDismissed()) way.set({ tag: 'prompt', event: event as InstallPrompt });
  });
  window.addEventListener('appinstalled', dismiss);
}

/**
 * On iOS an app on the home screen does not have the cookies and the storage of the page that was added. So that its user need
 * not sign up again, the manifest of the page gets a one-time pass, with which the app starts (state/deps.ts).
 */
export function offerPass(document: Document): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="manifest"]');
  if (standalone !== false || !link) return;
  const own = link.cloneNode() as HTMLLinkElement;
  own.href = '/api/manifest.webmanifest';
  own.crossOrigin = 'use-credentials';
  link.replaceWith(own);
}

/** One quiet line below the log, from the first message that was sent until the person closes it. */
export function InstallLine({ room }: { room: string }) {
  const { client } = useWorld();
  const how = useReadable(way);
  const conversation = useMemo(() => client.conversation(room), [client, room]);
  const hasSent = useSelected(conversation, hasSentMessage);
  if (!how || !hasSent) return null;
  const s = sheetTexts().install;
  return (
    <p class="line install">
      <span>{how.tag === 'share' ? s.share : s.why}</span>
      {how.tag === 'prompt' && (
        <button
          type="button"
          onClick={() => {
            void how.event.prompt();
            way.set(undefined); // the event works once; where the person declines, the browser says when to ask again
          }}
        >
          {s.install}
        </button>
      )}
      <button type="button" onClick={dismiss}>
        {s.dismiss}
      </button>
    </p>
  );
}

function hasSentMessage({ messages }: ConversationState): boolean {
  return messages.some(({ mine, status }) => mine && status.tag === 'sent');
}

function dismiss(): void {
  way.set(undefined);
  try {
    localStorage.setItem(KEY, 'dismissed');
  } catch {
    // it is closed as long as the page lasts
  }
}

function wasDismissed(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

const KEY = 'holdfast:install';
