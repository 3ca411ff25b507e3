/** A network that lets HTTP through and no Socket.IO, neither as websocket nor as long polling. */
import type { BrowserContext } from '@playwright/test';

export interface Bar {
  /** Lets it through again. The browser says that the network changed, else the pages would wait for their next attempt. */
  open(): Promise<void>;
}

/** From the next load of a page on, until it is opened. */
export async function barSocket(context: BrowserContext): Promise<Bar> {
  let barred = true;
  await context.route('**/socket.io/**', (route) => (barred ? route.abort() : route.continue()));
  await context.routeWebSocket(/\/socket\.io\//, (socket) => {
    if (barred) socket.close();
    else socket.connectToServer();
  });
  return {
    async open() {
      barred = false;
      for (const page of context.pages()) await page.evaluate(() => dispatchEvent(new Event('online')));
    },
  };
}
