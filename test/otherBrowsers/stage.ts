/** The setup of each scenario: a server, a network in front of it that can fail, a browser. Removed after the test. */
import { onTestFinished } from 'vitest';
import { bodyOf, connectClient, signUp, text, wholeLog } from '../support/api.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { startServer } from '../support/serverProcess.ts';
import type { Browser } from './browser.ts';

export interface Stage {
  network: TcpProxy;
  browser: Browser;
  /** The texts of the lobby on the server, in order. */
  bodies(): Promise<string[]>;
  /** Other users, connected directly, write these texts in this order. */
  othersWrite(bodies: readonly string[]): Promise<void>;
}

/** `page`: the folder of the built page, if it is not this checkout's. */
export async function setStage(start: () => Promise<Browser>, page?: string): Promise<Stage> {
  const server = await startServer(page === undefined ? {} : { env: { PAGE: page } });
  onTestFinished(server.dispose); // also if the test times out
  const network = await startProxy(server.port);
  onTestFinished(network.close);
  const browser = await start();
  onTestFinished(browser.dispose);
  const watcher = await signUp(server.url, 'Watcher');
  return {
    network,
    browser,
    bodies: async () => (await wholeLog(server.url, watcher)).flatMap((entry) => bodyOf(entry) ?? []),
    othersWrite: (bodies) => write(server.url, bodies),
  };
}

const AT_ONCE = 100; // APPEND_MAX_ITEMS
const OF_ONE = 500; // ITEMS_BURST: more items of one user are rate-limited

async function write(url: string, bodies: readonly string[]): Promise<void> {
  for (let from = 0; from < bodies.length; from += OF_ONE) {
    using author = await connectClient(url, await signUp(url, `Author ${from}`));
    const own = bodies.slice(from, from + OF_ONE);
    for (let i = 0; i < own.length; i += AT_ONCE) {
      const answer = await author.append(...own.slice(i, i + AT_ONCE).map((body) => text(body)));
      if (!answer.ok) throw new Error(`not written: ${JSON.stringify(answer)}`);
    }
  }
}
