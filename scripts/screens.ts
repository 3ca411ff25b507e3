/** Takes the pictures of the main screens for docs/screens: each size, light and dark, each language, on the real server. */
import { mkdir } from 'node:fs/promises';
import type { Browser, Page } from '@playwright/test';
import { type ApiClient, connectClient, newId, signUp, text } from '../test/support/api.ts';
import { startProxy } from '../test/support/proxy.ts';
import { startServer } from '../test/support/serverProcess.ts';
import { en } from '../web/i18n/en.ts';
import { enSheets } from '../web/i18n/enSheets.ts';
import { zh } from '../web/i18n/zh.ts';

const FOLDER = 'docs/screens';

const SIZES = [
  { width: 360, height: 740 },
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

const LANGUAGES = [
  { language: 'en', locale: 'en-GB', me: 'Ada', t: { ...en, sheets: enSheets } },
  { language: 'zh', locale: 'zh-CN', me: '小满', t: zh },
] as const;

export async function takeScreens(browser: Browser): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  for (const one of LANGUAGES) await takeIn(browser, one);
}

async function takeIn(
  browser: Browser,
  { language, locale, me, t }: (typeof LANGUAGES)[number],
): Promise<void> {
  await using server = await startServer({ env: { LOG_LEVEL: 'silent' } });
  await using network = await startProxy(server.port);
  using mika = await connectClient(server.url, await signUp(server.url, 'Mika'));
  using lin = await connectClient(server.url, await signUp(server.url, '林'));
  const harbour = await makeRoom(mika, 'Harbour watch');
  const kitchen = await makeRoom(lin, '厨房');
  await lin.request('room:join', { room: harbour, clientOffset: newId() });

  const context = await browser.newContext({ baseURL: network.url, locale, viewport: SIZES[0]! });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const toRooms = () => page.getByRole('link', { name: t.back }).click();

  /** Opens the screen; runs again after each change of size, since that closes menus and sheets. */
  async function shoot(name: string, open?: () => Promise<void>): Promise<void> {
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await open?.();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const path = `${FOLDER}/${name}-${size.width}x${size.height}-${colorScheme}-${language}.png`;
        await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
      }
      if (open) await page.keyboard.press('Escape');
    }
    await page.setViewportSize(SIZES[0]!);
  }

  async function say(body: string): Promise<void> {
    await page.getByRole('textbox', { name: t.composer.label }).fill(body);
    await button(t.composer.send).click();
    await message(page, body).waitFor();
  }

  await page.goto('/');
  await page.getByLabel(t.hello.name).waitFor();
  await shoot('hello');
  await page.getByLabel(t.hello.name).fill(me);
  await button(t.hello.start).click();
  for (const room of ['Harbour watch', '厨房']) {
    await toRooms();
    await button(t.add.open).click();
    await button(t.sheets.add.joinNamed(room)).click();
    await page.getByRole('heading', { name: room }).waitFor();
  }
  await toRooms();
  await mika.append(text('Tide turns at 14:20, we cast off at two.', harbour));
  await mika.append(text('Bring the second radio please', harbour));
  await lin.append(text('汤一点钟好', kitchen));
  await page.getByText(t.rooms.unread('2')).waitFor({ state: 'attached' });
  await shoot('rooms');
  await shoot('menu', () => button(t.menu.open).first().click());

  await page.getByRole('link', { name: 'Harbour watch' }).click();
  await say('Have it. Battery at 80 %');
  await lin.append(text('我在码头了，风有点大', harbour));
  await message(page, '我在码头了，风有点大').waitFor();
  await shoot('conversation-live');
  await shoot('message-menu', () => message(page, 'Have it. Battery at 80 %').click({ button: 'right' }));

  const openSheet = async (label: string) => {
    await page.getByRole('main').getByRole('button', { name: t.menu.open }).click();
    await page.getByRole('dialog').getByRole('button', { name: label }).click();
  };
  const people = () => openSheet(t.sheets.presence.open);
  await shoot('people', people);
  await shoot('profile', async () => {
    await people();
    await page.getByRole('dialog').getByRole('button', { name: /^Mika/ }).click();
    await page.getByText(t.sheets.profile.shared).waitFor();
  });
  await shoot('invite', () => openSheet(t.sheets.menu.invite));

  network.refuse();
  for (const body of ['No signal behind the point, back in 20 minutes', 'Two seals on the rocks!'])
    await say(body);
  await page.getByRole('main').getByText(t.connection.offlineWaiting(2)).waitFor();
  await shoot('conversation-offline');
  await shoot('details', async () => {
    await page.getByRole('log').getByRole('button', { name: t.message.states.queued }).last().click();
    await page.getByRole('dialog').waitFor();
  });
  await context.close();
}

async function makeRoom(of: ApiClient, name: string): Promise<string> {
  const id = newId();
  const answer = await of.makeRoom({ id, kind: 'public', name });
  if (!answer.ok) throw new Error(answer.error.message);
  return id;
}

function message(page: Page, body: string) {
  return page.getByRole('log').getByText(body, { exact: true });
}
