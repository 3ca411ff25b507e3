/** What a browser says about being looked at and about its network, as the connection hears it. */

export type BrowserEvent =
  | 'visible'
  | 'hidden'
  | 'online'
  | 'offline'
  | 'pageshow'
  | 'resume'
  /** From here on the page may stand still, or be kept for the way back, without another word. */
  | 'freeze'
  | 'pagehide'
  | 'network-changed';

export interface Page {
  readonly visible: boolean;
  readonly online: boolean;
  /** Returns how to stop listening. */
  listen(listener: (event: BrowserEvent) => void): () => void;
}

/** `navigator.connection`, which only Chromium has. */
type NetworkInformation = EventTarget & { readonly type?: string };

export function watchPage(window: Window, document: Document, navigator: Navigator): Page {
  const network = (navigator as { connection?: NetworkInformation }).connection;
  return {
    get visible() {
      return document.visibilityState === 'visible';
    },
    get online() {
      return navigator.onLine;
    },
    listen(listener) {
      let type = network?.type;
      const stop = new AbortController();
      const on = (target: EventTarget, name: string, handler: (event: Event) => void) =>
        target.addEventListener(name, handler, { signal: stop.signal });
      on(document, 'visibilitychange', () =>
        listener(document.visibilityState === 'visible' ? 'visible' : 'hidden'),
      );
      on(document, 'resume', () => listener('resume'));
      on(document, 'freeze', () => listener('freeze'));
      on(window, 'pagehide', () => listener('pagehide'));
      on(window, 'pageshow', (event) => {
        if ((event as PageTransitionEvent).persisted) listener('pageshow'); // else it has only just begun to load
      });
      on(window, 'online', () => listener('online'));
      on(window, 'offline', () => listener('offline'));
      if (network) {
        on(network, 'change', () => {
          if (network.type !== type) listener('network-changed'); // it also tells of every estimate of its speed
          type = network.type;
        });
      }
      return () => stop.abort();
    },
  };
}
