/** A user with the app open in a tab: keys and clicks, and the contents of the screen. */
import { waitFor } from '../support/waitFor.ts';
import type { Browser, Tab } from './browser.ts';
import type { Line } from './inPage.ts';
import * as inPage from './inPage.ts';

export interface Person {
  readonly tab: Tab;
  /** Types a name on the first screen and taps Start. */
  nameOneself(name: string): Promise<void>;
  /** Signs up on the first screen and opens the lobby. */
  signUp(name: string): Promise<void>;
  enterLobby(): Promise<void>;
  /** Sends a message. Resolves when the field is empty again and the message is on the screen. */
  write(body: string): Promise<void>;
  /** The lines of the log, top to bottom. */
  log(): Promise<Line[]>;
  /** Resolves with the lines of the log when they satisfy the condition. */
  sees(what: string, satisfies: (lines: Line[]) => boolean): Promise<Line[]>;
}

const NAME = '.hello input';
const START = '.hello button[type=submit]';
const LOBBY = 'a[href="#/room/lobby"]';
const COMPOSER = '.composer textarea';
const SEND = '.composer button.send';

const WITHIN_MS = 30_000;

export async function openApp(browser: Browser, url: string): Promise<Person> {
  const tab = await browser.open(url);
  const there = (css: string) => waitFor(`${css} is there`, () => tab.run(inPage.isThere, css));
  const log = () => tab.run(inPage.readLog);
  const sees: Person['sees'] = async (what, satisfies) => {
    let last: Line[] = [];
    const look = async () => {
      last = await log();
      return satisfies(last) && last;
    };
    return waitFor(what, look, WITHIN_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${last.map(said).join(', ')}`, { cause: error });
    });
  };
  const nameOneself = async (name: string) => {
    await there(NAME);
    await tab.type(NAME, name);
    await tab.click(START);
  };
  return {
    tab,
    log,
    sees,
    nameOneself,
    async signUp(name) {
      await nameOneself(name);
      await there(COMPOSER);
    },
    async enterLobby() {
      await there(LOBBY);
      await tab.click(LOBBY);
      await there(COMPOSER);
    },
    async write(body) {
      await tab.type(COMPOSER, body);
      await tab.click(SEND);
      await waitFor(`“${body}” was taken`, () => tab.run(inPage.isEmpty, COMPOSER));
      await sees(`“${body}” is on the screen`, (lines) => lines.some((line) => line.body === body));
    },
  };
}

/** A line as text: `body (State)`. */
export function said({ body, state }: Line): string {
  return state === undefined ? body : `${body} (${state})`;
}

/** The user's own messages on the screen. */
export function all(state: string): (lines: Line[]) => boolean {
  return (lines) => lines.every((line) => line.state === undefined || line.state === state);
}
