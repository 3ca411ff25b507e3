/** A network that allows HTTP but blocks Socket.IO, both WebSocket and long polling. */
import type { BrowserContext } from '@playwright/test';

export interface Bar {
  /** Allows Socket.IO again and fires `online`, or the pages would wait for their next attempt. */
  open(): Promise<void>;
}

/** Blocks Socket.IO from the next page load on, until `open`. */
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
