/** A minimal client of W3C WebDriver (https://www.w3.org/TR/webdriver2/) on fetch. */
import { createSerial } from '../../shared/serial.ts';

export interface WebDriverSession {
  /** Opens a new window, so that no other window hides it. */
  openWindow(): Promise<WebDriverWindow>;
}

export interface WebDriverWindow {
  goto(url: string): Promise<void>;
  /** Calls `work` in the page. Arguments and result are JSON. */
  run<A extends unknown[], T>(work: (...args: A) => T | Promise<T>, ...args: A): Promise<T>;
  click(css: string): Promise<void>;
  /** Types key by key, behind the current value. */
  type(css: string, text: string): Promise<void>;
  close(): Promise<void>;
}

const ANSWER_WITHIN_MS = 30_000;

export async function newSession(url: string, capabilities: object): Promise<WebDriverSession> {
  const { sessionId } = await command<{ sessionId: string }>(url, 'POST', '/session', {
    capabilities: { alwaysMatch: capabilities },
  });
  const session = `${url}/session/${sessionId}`;
  const first = await command<string>(session, 'GET', '/window');
  const inTurn = createSerial(); // commands act on the current window, of which a session has only one
  return {
    openWindow: () =>
      inTurn(async () => {
        await command(session, 'POST', '/window', { handle: first }); // the current window may be closed
        const { handle } = await command<{ handle: string }>(session, 'POST', '/window/new', {
          type: 'window',
        });
        return windowOf(session, handle, inTurn);
      }),
  };
}

/** True if a driver listens there and accepts a session. */
export async function isReady(url: string): Promise<boolean> {
  return command<{ ready: boolean }>(url, 'GET', '/status').then(
    ({ ready }) => ready,
    () => false,
  );
}

function windowOf(session: string, handle: string, inTurn: ReturnType<typeof createSerial>): WebDriverWindow {
  const here = <T>(work: () => Promise<T>) =>
    inTurn(async () => {
      await command(session, 'POST', '/window', { handle });
      return work();
    });
  return {
    goto: (url) => here(() => command(session, 'POST', '/url', { url })),
    run: (work, ...args) =>
      here(async () =>
        unwrap(await command(session, 'POST', '/execute/async', { script: scriptOf(work), args })),
      ),
    click: (css) =>
      here(async () => {
        await command(session, 'POST', `${await element(session, css)}/click`, {});
      }),
    type: (css, text) =>
      here(async () => {
        await command(session, 'POST', `${await element(session, css)}/value`, { text });
      }),
    close: () => here(() => command(session, 'DELETE', '/window')),
  };
}

/** The path of its commands. */
async function element(session: string, css: string): Promise<string> {
  const found = await command<Record<string, string>>(session, 'POST', '/element', {
    using: 'css selector',
    value: css,
  });
  return `/element/${found[ELEMENT]}`;
}

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'; // the standard's key of an element reference

type Outcome<T> = { value: T } | { error: string };

/** Catches exceptions in the page, since the driver's own report has no stack. */
function scriptOf(work: (...args: never[]) => unknown): string {
  return `const done = arguments[arguments.length - 1];
    (async () => (${work})(...[...arguments].slice(0, -1)))().then(
      (value) => done({ value }),
      (error) => done({ error: String(error) + '\\n' + error?.stack }),
    );`;
}

function unwrap<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw new Error(`in the page: ${outcome.error}`);
  return outcome.value;
}

async function command<T>(
  url: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<T> {
  const answer = await fetch(url + path, {
    method,
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const { value } = (await answer.json()) as { value: T & { error?: string; message?: string } };
  if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}
