/** A `scroll` event comes with the next frame only: a rendering before it must not undo the scroll. */
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { expect, message, say, signUp, test } from './fixtures.ts';

test('a scroll up from the newest message is kept, whatever renders before its scroll event', async ({
  server,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  await bob.append(...Array.from({ length: 60 }, (_, n) => text(`number ${n}`)));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'The newest');
  await expect(message(page, 'number 59')).toBeVisible(); // the own message may show before the log has loaded
  await expect(message(page, 'The newest')).toBeInViewport();

  const below = await page.locator('.log').evaluate(async (log) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    log.scrollTop -= 500;
    log.querySelector<HTMLElement>('.message:last-child .meta')!.click(); // in the same task: renders the details
    for (let i = 0; i < 3; i++) await frame();
    return log.scrollHeight - log.scrollTop - log.clientHeight;
  });
  expect(Math.abs(below - 500)).toBeLessThanOrEqual(1); // heights are rounded to whole pixels; undone, it would be 0
});
