/** Functions that run in the page. Each is sent as text, so it may use nothing from this module. */

declare global {
  interface Window {
    /** The last line of the log after each change (`watchNewest`). */
    newestShown: string[];
  }
}

export interface Line {
  body: string;
  /** The state of the user's own message, as the screen shows it. */
  state: string | undefined;
}

export function isThere(css: string): boolean {
  return document.querySelector(css) !== null;
}

export function isSaid(text: string): boolean {
  return document.body.textContent.includes(text);
}

/** When this document was opened: another time after a reload. */
export function openedAt(): number {
  return performance.timeOrigin;
}

export function isEmpty(css: string): boolean {
  return document.querySelector<HTMLTextAreaElement>(css)?.value === '';
}

/** A key in the field, and whether a message is edited two frames later. */
export async function editsAfter(key: KeyboardEventInit): Promise<boolean> {
  const init = { bubbles: true, cancelable: true, ...key };
  document.querySelector('.composer textarea')!.dispatchEvent(new KeyboardEvent('keydown', init));
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  return document.querySelector('.composer .editing') !== null;
}

/** As on a touch device with a keyboard: the text is put into the field, and a key is pressed there. False if the browser gets the key. */
export function takesKey(text: string, key: KeyboardEventInit): boolean {
  const field = document.querySelector<HTMLTextAreaElement>('.composer textarea')!;
  const matches = window.matchMedia;
  window.matchMedia = (query) => Object.defineProperty(matches(query), 'matches', { value: false });
  try {
    field.value = text;
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    return !field.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...key }));
  } finally {
    window.matchMedia = matches;
  }
}

export function fieldText(): string {
  return document.querySelector<HTMLTextAreaElement>('.composer textarea')!.value;
}

export function readLog(): Line[] {
  return [...document.querySelectorAll('[role=log] .message')].map((message) => {
    const meta = message.matches('.mine') ? message.querySelector('button.meta') : undefined;
    return {
      body: message.querySelector('.body')?.textContent ?? '',
      state: (meta?.querySelector('.visually-hidden') ?? meta)?.textContent ?? undefined,
    };
  });
}

/** The texts of the messages, split where the log shows a gap. */
export function readPieces(): string[][] {
  const pieces: string[][] = [[]];
  for (const each of document.querySelectorAll('[role=log] :is(.message, [data-gap])')) {
    if (each.matches('[data-gap]')) pieces.push([]);
    else pieces.at(-1)!.push(each.querySelector('.body')?.textContent ?? '');
  }
  return pieces;
}

/** What the line of the last gap says. */
export function readGap(): string {
  return [...document.querySelectorAll('[role=log] [data-gap]')].at(-1)?.textContent ?? '';
}

export function scrollToTop(): void {
  document.querySelector('.log')!.scrollTop = 0;
}

export function untilInstalled(): Promise<void> {
  return navigator.serviceWorker.ready.then(() => undefined);
}

/** Scrolls to the oldest line, but stops at the last hole. */
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

/** Resolves when all pending transactions are done. A browser does not freeze a page before that, either. */
export async function untilDatabasesRest(): Promise<void> {
  for (const { name } of await indexedDB.databases()) {
    await new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open(name!);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const db = opening.result;
        const last = db.transaction([...db.objectStoreNames], 'readwrite'); // starts after all others have ended
        last.onabort = () => reject(last.error);
        last.oncomplete = () => {
          db.close();
          resolve();
        };
      };
    });
  }
}

/** True if this tab holds the drain lock. A lock that this function takes shows the client id of the tab. */
export function sendsHere(): Promise<boolean> {
  return navigator.locks.request(`which tab is this ${Math.random()}`, async (ours) => {
    const { held = [] } = await navigator.locks.query();
    const me = held.find(({ name }) => name === ours!.name)!.clientId;
    return held.some(({ name, clientId }) => name!.endsWith(':drain') && clientId === me);
  });
}

/** A window that this test does not show has no focus, and nothing in it counts as read. */
export function getFocus(): void {
  document.hasFocus = () => true;
  window.dispatchEvent(new Event('focus'));
}

/** The stored read marker of the only room; 0 if there is none. */
export async function readMark(): Promise<number> {
  const result = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name } of await indexedDB.databases()) {
    const db = await result(indexedDB.open(name!));
    const marks = db.objectStoreNames.contains('marks')
      ? await result(db.transaction('marks').objectStore('marks').getAll())
      : [];
    db.close();
    if (marks[0]) return marks[0].upTo;
  }
  return 0;
}
