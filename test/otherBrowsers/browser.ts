/** The interface of a browser for the scenarios; test/support has a driver for each. */

export interface Browser {
  /** Its name in a sentence. */
  readonly name: string;
  /** Opens a tab in a window of its own, so that no tab hides another. */
  open(url: string): Promise<Tab>;
  /** Kills it and starts it again with its stored data; if its storage is ephemeral, closes all tabs instead. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}

export interface Tab {
  /** Calls `work` in the page. Arguments and result are JSON. */
  run<A extends unknown[], T>(work: (...args: A) => T | Promise<T>, ...args: A): Promise<T>;
  click(css: string): Promise<void>;
  /** Types key by key. */
  type(css: string, text: string): Promise<void>;
  /** Stops its process: its scripts do not run, its locks and sockets stay. No other tab may be in that process. */
  freeze(): Promise<void>;
  thaw(): void;
  close(): Promise<void>;
}
