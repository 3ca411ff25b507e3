/** Everything of the browser that the client uses, as arguments: tests hand in their own. */
import type { Channel } from '../db/changes.ts';
import { type Clock, deviceClock } from '../db/clock.ts';
import { type Page, watchPage } from '../transport/browser.ts';
import type { LoadIo, RawSocket } from '../transport/socket.ts';
import { loadLater } from './loadLater.ts';

export interface Deps {
  indexedDB: IDBFactory;
  clock: Clock;
  random: () => number;
  randomBytes: (count: number) => Uint8Array;
  fetch: typeof globalThis.fetch;
  loadIo: LoadIo;
  /** Undefined where the page came by plain HTTP from another machine: browsers withhold Web Locks there. */
  locks: LockManager | undefined;
  channel: (name: string) => Channel;
  /** Background Sync, where the browser has it: wakes the service worker for this tag. */
  background: { register(tag: string): Promise<void> } | undefined;
  page: Page;
  /** Resolves once the last changes are painted, or after PAINTED_WITHIN_MS on a page that is not painted. */
  painted: () => Promise<void>;
  /** Asks the browser for persistent storage. */
  persist: () => void;
  startsOffline: boolean;
  /** What this browser lacks to run the app at all. */
  missing: string | undefined;
  /** The one-time pass with which the home screen has started the app. */
  pass: string | undefined;
}

/** Those of the real browser. */
export function browserDeps(): Deps {
  return {
    indexedDB: globalThis.indexedDB,
    clock: deviceClock,
    random: Math.random,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    fetch: (input, init) => fetch(input, init),
    async loadIo() {
      const { io } = await loadLater();
      return (options) => io(options) as unknown as RawSocket;
    },
    locks: navigator.locks as LockManager | undefined,
    channel: (name) => new BroadcastChannel(name) as Channel,
    background: backgroundSync(),
    page: watchPage(window, document, navigator),
    painted: () =>
      new Promise((resolve) => {
        requestAnimationFrame(() => setTimeout(resolve)); // the first task after the frame
        setTimeout(resolve, PAINTED_WITHIN_MS); // a hidden page has no frames
      }),
    persist() {
      navigator.storage?.persist?.().catch(() => {}); // nothing depends on the answer
    },
    startsOffline: isSecureContext && 'serviceWorker' in navigator,
    missing: missingFeature(),
    pass: takePass(),
  };
}

/**
 * Takes the one-time pass out of the address, before anything else reads that (`offerPass` in web/view/menu/InstallLine.tsx).
 * Only the home screen of iOS starts the app with one. Anywhere else the pass may be an attacker's, who wants somebody to
 * write in the attacker's name.
 */
function takePass(): string | undefined {
  const [address, pass] = /^#\/pass\/([\w-]+)$/.exec(location.hash) ?? [];
  if (address) history.replaceState(null, '', '/');
  return (navigator as { standalone?: boolean }).standalone ? pass : undefined;
}

const PAINTED_WITHIN_MS = 100;

/** Only Chromium has it. Waits for the service worker to be ready. */
function backgroundSync(): Deps['background'] {
  if (!('serviceWorker' in navigator) || !('SyncManager' in globalThis)) return undefined;
  return {
    async register(tag) {
      const { sync } = (await navigator.serviceWorker.ready) as ServiceWorkerRegistration & {
        sync: { register(tag: string): Promise<void> };
      };
      await sync.register(tag);
    },
  };
}

/**
 * The name of a required API that this browser lacks, as the person reads it. Present in Chromium 111, Safari 16.4,
 * Firefox 126.
 */
function missingFeature(): string | undefined {
  if (!globalThis.indexedDB) return 'IndexedDB';
  if (!globalThis.BroadcastChannel) return 'BroadcastChannel';
  if (!globalThis.crypto?.getRandomValues) return 'crypto.getRandomValues';
  if (!('toWellFormed' in String.prototype)) return 'String.prototype.toWellFormed';
  if (!('findLast' in Array.prototype)) return 'Array.prototype.findLast';
  return undefined;
}
