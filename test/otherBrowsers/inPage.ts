/** What runs in the page itself. Each function is sent there as its text, so it may use nothing from around it. */

declare global {
  interface Window {
    /** What was at the end of the log, whenever that changed (`watchNewest`). */
    newestShown: string[];
  }
}

export interface Line {
  body: string;
  /** Of one's own, in the words of the screen. */
  state: string | undefined;
}

export function isThere(css: string): boolean {
  return document.querySelector(css) !== null;
}

export function isEmpty(css: string): boolean {
  return document.querySelector<HTMLTextAreaElement>(css)?.value === '';
}

export function readLog(): Line[] {
  return [...document.querySelectorAll('[role=log] .message')].map((message) => {
    const meta = message.querySelector('button.meta');
    return {
      body: message.querySelector('.body')?.textContent ?? '',
      state: (meta?.querySelector('.heard') ?? meta)?.textContent ?? undefined,
    };
  });
}

/** The messages, parted where the log says that some are not held. */
export function readPieces(): string[][] {
  const pieces: string[][] = [[]];
  for (const each of document.querySelectorAll('[role=log] :is(.message, [data-gap])')) {
    if (each.matches('[data-gap]')) pieces.push([]);
    else pieces.at(-1)!.push(each.querySelector('.body')?.textContent ?? '');
  }
  return pieces;
}

export function untilInstalled(): Promise<void> {
  return navigator.serviceWorker.ready.then(() => undefined);
}

/** To the oldest, but not beyond where messages lack. */
export function scrollUp(): void {
  const gap = [...document.querySelectorAll('[role=log] [data-gap]')].at(-1);
  if (gap) gap.scrollIntoView({ block: 'start', behavior: 'instant' });
  else document.querySelector('.log')!.scrollTop = 0;
}

export function watchNewest(): void {
  const newest = () => [...document.querySelectorAll('[role=log] .message .body')].at(-1)?.textContent ?? '';
  window.newestShown = [newest()];
  new MutationObserver(() => {
    if (newest() !== window.newestShown.at(-1)) window.newestShown.push(newest());
  }).observe(document.querySelector('[role=log]')!, { subtree: true, childList: true, characterData: true });
}

export function newestShown(): string[] {
  return window.newestShown;
}

/** Resolves when all that was asked of the databases is done. A browser that freezes pages does not freeze one before that. */
export async function untilDatabasesRest(): Promise<void> {
  for (const { name } of await indexedDB.databases()) {
    await new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open(name!);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const db = opening.result;
        const last = db.transaction([...db.objectStoreNames], 'readwrite'); // begins when all others have ended
        last.onabort = () => reject(last.error);
        last.oncomplete = () => {
          db.close();
          resolve();
        };
      };
    });
  }
}

/** Whether the lock of those who send is held in this tab: locks name their holder, and so does one that we take. */
export function sendsHere(): Promise<boolean> {
  return navigator.locks.request(`which tab is this ${Math.random()}`, async (ours) => {
    const { held = [] } = await navigator.locks.query();
    const me = held.find(({ name }) => name === ours!.name)!.clientId;
    return held.some(({ name, clientId }) => name!.endsWith(':drain') && clientId === me);
  });
}
