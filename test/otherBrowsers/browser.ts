/** What a scenario needs of a browser, whichever it is; test/support has a driver for each. */

export interface Browser {
  /** How it is called in a sentence. */
  readonly name: string;
  /** A tab in a window of its own: none hides another. */
  open(url: string): Promise<Tab>;
  /** Ends it at once and starts it again with what it has stored; where nothing outlives it, all its tabs are closed. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}

export interface Tab {
  /** Calls `work` in the page. What goes in and out is JSON. */
  run<A extends unknown[], T>(work: (...args: A) => T | Promise<T>, ...args: A): Promise<T>;
  click(css: string): Promise<void>;
  /** Key by key. */
  type(css: string, text: string): Promise<void>;
  /** Stops its process: nothing of it runs, its locks and sockets stay. No other tab may live in that process. */
  freeze(): Promise<void>;
  thaw(): void;
  close(): Promise<void>;
}
