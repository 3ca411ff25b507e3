/**
 * The browser's events about visibility, suspension and network, as one stream for the connection and the databases.
 */

export type BrowserEvent =
  | 'visible'
  | 'hidden'
  | 'online'
  | 'offline'
  | 'pageshow'
  | 'resume'
  /** From here on the page may be suspended or kept in the back-forward cache without another event. */
  | 'freeze'
  | 'pagehide'
  | 'network-changed';

export interface Page {
  readonly visible: boolean;
  readonly online: boolean;
  /** Returns a function that ends it. */
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
        if ((event as PageTransitionEvent).persisted) listener('pageshow'); // otherwise the page has only just loaded
      });
      on(window, 'online', () => listener('online'));
      on(window, 'offline', () => listener('offline'));
      if (network) {
        on(network, 'change', () => {
          if (network.type !== type) listener('network-changed'); // there is an event for every new estimate of the speed, too
          type = network.type;
        });
      }
      return () => stop.abort();
    },
  };
}
