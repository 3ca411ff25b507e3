/** Screen readers: the accessibility tree of the page, and its announcements. */
import type { Page } from '@playwright/test';
import { LOBBY } from '../../shared/mint.ts';
import { type ApiClient, connectClient, newId, signUp as signUpByApi, text } from '../support/api.ts';
import { composer, expect, expectState, message, rightClick, say, signUp, test } from './fixtures.ts';
import { goToNewest } from './support/scroll.ts';

test('O3 a screen reader gets every status of a message, its menu and its details as text', async ({
  server,
  network,
  phone,
}) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await mika.append(text('Tide turns at two'), text('https://example.org/'));
  await expect(message(page, 'https://example.org/')).toBeVisible();
  for (const body of ['arrived', 'to be changed', 'to be deleted']) await say(page, body);
  await expectState(page, 'to be deleted', 'Sent');
  await choose(page, 'to be changed', 'Edit');
  await expect(composer(page)).toHaveValue('to be changed');
  await composer(page).fill('changed');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expectState(page, 'changed', 'Sent');
  await choose(page, 'to be deleted', 'Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('log').getByText('Message deleted')).toBeVisible();
  const tooMuch = 'a'.repeat(4_001);
  await say(page, tooMuch);
  await expectState(page, tooMuch, 'Not sent');
  network.stall();
  await say(page, 'on its way');
  await expectState(page, 'on its way', 'Sending'); // or both may be sent in one batch
  await say(page, 'waits');

  await expect(page.getByRole('log')).toMatchAriaSnapshot(`
    - log "Lobby":
      - paragraph: Today
      - article /^Mika Tide turns at two \\d\\d:\\d\\d More$/:
        - button /^\\d\\d:\\d\\d More$/
      - article /^Mika https:\\S+ \\d\\d:\\d\\d More$/:
        - link "https://example.org/"
      - article /^You arrived \\d\\d:\\d\\d Sent$/:
        - button /^\\d\\d:\\d\\d Sent$/
      - article /^You changed edited \\d\\d:\\d\\d Sent$/:
        - button /^edited \\d\\d:\\d\\d Sent$/
      - article /^You Message deleted \\d\\d:\\d\\d Sent$/:
        - button /Sent$/
      - article:
        - text: /^You a+$/
        - button "Not sent"
      - article /^You on its way \\d\\d:\\d\\d Sending$/:
        - button /Sending$/
      - article /^You waits \\d\\d:\\d\\d Queued$/:
        - button /Queued$/
  `);
  network.refuse();
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - link "Back to the rooms"
      - heading "Lobby" [level=1]
      - paragraph: 2 people
      - button "Menu"
      - status:
        - paragraph: Offline. 2 messages are waiting.
      - log "Lobby":
        - article /^You on its way \\d\\d:\\d\\d Checking$/:
          - button /Checking$/
        - article /^You waits \\d\\d:\\d\\d Queued$/
      - textbox "Message"
      - button "Send" [disabled]
  `);

  await rightClick(page, 'waits');
  await expect(page.getByRole('dialog')).toMatchAriaSnapshot(`
    - dialog "Your message":
      - menu "Your message":
        - /children: equal
        - group "React with an emoji":
          - menuitemcheckbox "React with 👍"
          - menuitemcheckbox "React with ❤️"
          - menuitemcheckbox "React with 😂"
          - menuitemcheckbox "React with 😮"
          - menuitemcheckbox "React with 😢"
          - menuitemcheckbox "React with 🙏"
          - menuitem "React with an emoji"
        - menuitem "Reply"
        - menuitem "Edit"
        - menuitem "Copy"
        - menuitem "Details"
        - menuitem "Delete"
  `);
  await page.getByRole('menuitem', { name: 'Details' }).click();
  await expect(page.getByRole('dialog')).toMatchAriaSnapshot(`
    - dialog "Details":
      - /children: equal
      - heading "Details" [level=2]
      - button "Close"
      - paragraph: /^Written at \\d\\d:\\d\\d\\. It is saved on this device and will be sent as soon as there is a connection\\.$/
      - button "React with an emoji"
      - button "Edit"
      - button "Copy"
      - button "Delete"
  `);
  await page.getByRole('button', { name: 'Close' }).click();
  await message(page, 'Tide turns at two').getByRole('button', { name: 'More' }).click();
  await expect(page.getByRole('dialog')).toMatchAriaSnapshot(`
    - dialog "Details":
      - /children: equal
      - heading "Details" [level=2]
      - button "Close"
      - paragraph: /^The server received it at \\d\\d:\\d\\d\\.$/
      - button "React with an emoji"
      - button "Copy"
      - button "Copy link"
      - button /^About .Mika.$/
      - button "Report"
  `);
  await page.keyboard.press('Escape');
  await page.getByRole('log').getByRole('button', { name: 'Not sent' }).click();
  await expect(page.getByRole('dialog')).toMatchAriaSnapshot(`
    - dialog "Not sent":
      - heading "Not sent" [level=2]
      - paragraph: This message has 4,001 characters. The limit is 4,000. Your later messages are not affected.
      - button "Edit"
      - button "Try again"
      - button "Copy"
      - button "Delete"
  `);
});

test('the list of rooms has the number of unread messages in the text of each link', async ({
  server,
  phone,
}) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'arrived');
  await expectState(page, 'arrived', 'Sent');
  await composer(page).fill('half a sen');
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - navigation "Rooms":
        - heading "Rooms" [level=1]
        - button "Add a room"
        - button "Menu"
        - status
        - list:
          - /children: equal
          - listitem:
            - link /^Lobby Draft. half a sen \\d\\d:\\d\\d$/
  `);
  await page.getByRole('link', { name: /lobby/i }).click();
  await composer(page).fill('');
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  await mika.append(text('Tide turns at two'), text('Bring the radio'));
  await expect(page.getByRole('list')).toMatchAriaSnapshot(`
    - list:
      - listitem:
        - link /^Lobby Mika. Bring the radio \\d\\d:\\d\\d 2 unread$/
  `);
});

test('new messages of others are announced, also the same text twice; older messages that load above are not', async ({
  server,
  phone,
}) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  for (let n = 0; n < 300; n += 100) await writeMany(mika, n);
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await expect(message(page, 'number 299')).toBeInViewport();
  const said = await listen(page);

  await mika.append(text('Kettle is on'));
  await expect.poll(said).toEqual(['Mika: Kettle is on']);
  await mika.append(text('Kettle is on'));
  await expect.poll(said).toEqual(['Mika: Kettle is on', 'Mika: Kettle is on']);
  await say(page, 'my own');
  await expectState(page, 'my own', 'Sent');

  await page.locator('.log').focus();
  await expect(async () => {
    await page.keyboard.press('Home');
    await expect(message(page, 'number 0')).toBeVisible({ timeout: 200 });
  }).toPass();
  await goToNewest(page, 'my own');
  const last = text('the last');
  await mika.append(last);
  await expect.poll(said).toEqual(['Mika: Kettle is on', 'Mika: Kettle is on', 'Mika: the last']);
  await mika.append({ room: LOBBY, clientOffset: newId(), kind: 'delete', target: last.clientOffset });
  await expect(page.getByText('the last')).toHaveCount(0); // also not in what was read out
});

/** Records every text of the live region from now on. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  const region = page.getByRole('main').locator('p[role=status]');
  await region.evaluate((element) => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => said.push(element.textContent)).observe(element, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  return () =>
    page.evaluate(() =>
      (window as unknown as { said: string[] }).said.map((line) => line.trim()).filter((line) => line !== ''),
    );
}

async function writeMany(author: ApiClient, from: number): Promise<void> {
  const items = Array.from({ length: 100 }, (_, n) => text(`number ${from + n}`));
  expect(await author.append(...items)).toMatchObject({ ok: true });
}

async function choose(page: Page, body: string, what: string): Promise<void> {
  await rightClick(page, body);
  await page.getByRole('menuitem', { name: what }).click();
}
