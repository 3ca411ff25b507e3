/** Accessibility: axe on every screen, in light and dark, in each language. */
import type { Page } from '@playwright/test';
import { en } from '../../web/i18n/en.ts';
import { enSheets } from '../../web/i18n/enSheets.ts';
import { zh } from '../../web/i18n/zh.ts';
import { connectClient, newId, signUp as signUpByApi, text } from '../support/api.ts';
import { DARK_DESK, LIGHT_PHONE, violations } from '../support/axe.ts';
import { SCENES } from '../support/gallery/scenes.ts';
import { serveGallery } from '../support/gallery/serve.ts';
import { expect, message, test } from './fixtures.ts';

const TEXTS = { en: { ...en, sheets: enSheets }, zh };
/** Some hundred runs of axe take long on a busy machine. */
test.setTimeout(180_000);

const LOCALES = { en: 'en-GB', zh: 'zh-CN' };

for (const language of ['en', 'zh'] as const)
  test.describe(`in ${language}`, () => {
    // With a mouse, so that the menu of a message opens as on a wide screen.
    test.use({ locale: LOCALES[language], isMobile: false, hasTouch: false, deviceScaleFactor: 1 });

    test(`axe finds nothing on any screen: ${language}`, async ({ server, network, phone }) => {
      const t = TEXTS[language];
      using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
      await mika.makeRoom({ id: newId(), kind: 'public', name: 'Kitchen' });
      const page = await phone(network.url);
      const found: string[] = [];
      const check = async (where: string) => void found.push(...(await violations(page, where)));
      const button = (name: string) => page.getByRole('button', { name, exact: true });
      const sheet = page.getByRole('dialog');
      const toRooms = () => page.getByRole('link', { name: t.back }).click();
      const openMenu = async () => {
        await page.getByRole('main').getByRole('button', { name: t.menu.open }).click();
        await sheet.waitFor();
      };
      const shut = async () => {
        await page.keyboard.press('Escape');
        await expect(sheet).toHaveCount(0); // an open sheet would block the page below
      };
      const small = () => page.setViewportSize(LIGHT_PHONE.viewport);

      await page.getByRole('button', { name: '简体中文' }).waitFor();
      await check('hello');
      await button(t.hello.start).click();
      await check('hello, without a name');
      await page.getByLabel(t.hello.name).fill('Mika');
      await button(t.hello.start).click();
      await page.getByLabel(t.hello.password).waitFor();
      await check('hello, a name that is taken');
      await page.getByLabel(t.hello.name).fill('Ada');
      await button(t.hello.start).click();
      await page.getByRole('textbox', { name: t.composer.label }).waitFor();
      await check('an empty conversation');

      await small();
      await toRooms();
      await mika.append(text('Tide turns at 14:20'), text('https://example.org/forecast'));
      await page.getByText(t.rooms.unread('2')).waitFor({ state: 'attached' });
      await check('rooms');
      await small();
      await button(t.add.open).click();
      await button(t.sheets.add.joinNamed('Kitchen')).waitFor();
      await check('add a room');
      await button(t.sheets.add.create).click();
      await check('add a room, without a name');
      await shut();

      await small();
      await page.getByRole('link', { name: t.rooms.lobby }).click();
      const said = conversation(page, t);
      await said.say('arrived');
      await said.say('changed');
      await said.say('deleted');
      await said.isState('deleted', 'sent');
      await page.keyboard.press('ArrowUp');
      await page.getByText(t.composer.changing).waitFor();
      await check('changing a message');
      await shut();
      await said.menu('deleted');
      await check('the menu of a message');
      await page.getByRole('menuitem', { name: t.sheets.message.delete }).click();
      await sheet.waitFor();
      await check('delete a message');
      await sheet.getByRole('button', { name: t.sheets.message.delete }).click();
      await page.getByRole('log').getByText(t.message.deleted).waitFor();
      await said.menu('changed');
      await page.getByRole('menuitem', { name: t.sheets.message.edit }).click();
      await page.getByText(t.composer.changing).waitFor();
      await page.getByRole('textbox', { name: t.composer.label }).fill('changed since');
      await page.keyboard.press('Enter');
      await said.isState('changed since', 'sent');
      await said.say(`${'long '.repeat(810)}`);
      await page.getByRole('log').getByText(t.message.states['not-sent']).waitFor();

      await small();
      await openMenu();
      await sheet.getByRole('button', { name: t.sheets.menu.leave }).click();
      await sheet.getByRole('button', { name: t.sheets.leave.confirm, exact: true }).click();
      await page.getByRole('navigation').getByText(t.rooms.left).waitFor(); // now the list of rooms shows
      await page.getByRole('link', { name: t.rooms.lobby }).click();
      await button(t.sheets.joinAgain).waitFor();
      await check('a room that was left');
      await button(t.sheets.joinAgain).click();
      await page.getByRole('textbox', { name: t.composer.label }).waitFor();

      await openMenu();
      await sheet.getByRole('button', { name: t.sheets.presence.open }).click();
      await sheet.getByRole('button', { name: /^Mika/ }).waitFor();
      await check('the people of a room');
      await sheet.getByRole('button', { name: /^Mika/ }).click();
      await sheet.getByText(t.sheets.profile.shared).waitFor();
      await check('a profile');
      await shut();

      await openMenu();
      await sheet.getByRole('button', { name: t.sheets.day.open }).click();
      await sheet.getByRole('button', { name: t.sheets.day.go }).click();
      await sheet.getByText(t.sheets.day.reasons.empty).waitFor();
      await check('going to a date');
      await shut();

      network.stall();
      await said.say('on its way');
      await said.isState('on its way', 'sending');
      await said.say('waits');
      await said.isState('waits', 'queued');
      await check('sent, changed, deleted, refused, on its way, waiting');
      network.refuse();
      await said.isState('on its way', 'checking');
      await page.getByText(t.connection.offlineWaiting(2)).first().waitFor({ state: 'attached' });
      await check('offline, one is being checked');
      await page.getByRole('log').getByRole('button', { name: t.message.states.queued }).click();
      await sheet.waitFor();
      await check('details');
      await shut();
      await page.getByRole('log').getByRole('button', { name: t.message.states['not-sent'] }).click();
      await sheet.waitFor();
      await check('not sent');
      await shut();

      await openMenu();
      await check('the menu');
      for (const [opens, where] of [
        [t.sheets.menu.setPassword, 'a password'],
        [t.sheets.menu.leave, 'leave a room'],
        [t.sheets.menu.signOut, 'sign out'],
      ] as const) {
        await sheet.getByRole('button', { name: opens }).click();
        await check(where);
        await shut();
        await openMenu();
      }
      await shut();

      await failStorage(page);
      await page.getByRole('textbox', { name: t.composer.label }).fill('cannot be kept');
      await button(t.composer.send).click();
      await page.getByText(t.sheets.storage.full).waitFor();
      await check('the storage is full');
      expect(found).toEqual([]);
    });
  });

test('axe finds no problem in any scene of the gallery; in forced colours every control has visible text, and buttons and fields a border', async ({
  browser,
}) => {
  await using gallery = await serveGallery();
  const page = await browser.newPage();
  await page.goto(gallery.url);
  const found: string[] = [];
  for (const scene of Object.keys(SCENES)) {
    // Each scene in light and dark, narrow and wide, in English and Chinese. Together they include the screens above.
    await page.setViewportSize(LIGHT_PHONE.viewport);
    await gallery.show(page, scene);
    found.push(...(await violations(page, `${scene} in English`, [LIGHT_PHONE])));
    await page.setViewportSize({ width: 320, height: 568 });
    await page.emulateMedia({ forcedColors: 'active' });
    found.push(...(await unseenControls(page)).map((what) => `${scene} in forced colours: ${what}`));
    await page.emulateMedia({ forcedColors: null });
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    found.push(...(await cutOff(page)).map((what) => `${scene} with large text: ${what}`));
    await page.evaluate(() => (document.documentElement.style.fontSize = ''));
    await gallery.inChinese(page);
    found.push(...(await violations(page, `${scene} in Chinese`, [DARK_DESK])));
  }
  await page.close();
  expect(found).toEqual([]);
});

/**
 * Controls of which nothing shows in forced colours, where backgrounds and shadows are gone: their text or icon, and the border
 * of buttons that are coloured otherwise and of fields, must differ from what is behind them.
 */
function unseenControls(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const numbers = (color: string) => color.match(/[\d.]+/g)!.map(Number);
    const isClear = (color: string) => numbers(color)[3] === 0;
    const luminance = (color: string) => {
      const [r, g, b] = numbers(color).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const differ = (one: string, other: string) => {
      const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
      return !isClear(one) && (light + 0.05) / (dark + 0.05) >= 3;
    };
    const behind = (element: Element | null): string => {
      if (!element) return 'rgb(255, 255, 255)';
      const { backgroundColor } = getComputedStyle(element);
      return isClear(backgroundColor) ? behind(element.parentElement) : backgroundColor;
    };
    const top = document.querySelector('dialog[open]') ?? document.body;
    const controls = [...top.querySelectorAll<HTMLElement>('button, a[href], input, textarea, select')];
    const visible = controls.filter(
      (element) =>
        element.checkVisibility() && !element.matches('.visually-hidden, [type=checkbox], [type=radio]'),
    );
    return visible.flatMap((element) => {
      const name = `${element.tagName} .${element.className} ${element.ariaLabel ?? element.textContent}`;
      const style = getComputedStyle(element);
      const icon = element.querySelector('svg path');
      const ink = icon ? getComputedStyle(icon).stroke : style.color;
      const isBordered =
        style.borderBottomStyle !== 'none' && Number.parseFloat(style.borderBottomWidth) >= 1;
      const hasBorder = isBordered && differ(style.borderBottomColor, behind(element.parentElement));
      const needsBorder = element.matches('.button:not(.quiet), .send, input, textarea, select');
      return [
        ...(differ(ink, behind(element)) ? [] : [`${name} has no visible text: ${ink}`]),
        ...(needsBorder && !hasBorder ? [`${name} has no border: ${style.borderBottom}`] : []),
      ];
    });
  });
}

/** The parts of the page that scroll sideways or hide something at their side, and buttons that are smaller than a finger. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const top = document.querySelector('dialog[open]') ?? document.body;
    const inTop = [...top.querySelectorAll<HTMLElement>('*')].filter((element) => element.checkVisibility());
    const wide = inTop.filter(({ scrollWidth, clientWidth, tagName }) => {
      return scrollWidth > clientWidth + 1 && clientWidth > 1 && tagName !== 'svg';
    });
    const isMeant = (element: HTMLElement) =>
      getComputedStyle(element).textOverflow === 'ellipsis' ||
      element.matches('.message, .meta, .visually-hidden');
    const small = inTop.filter((element) => {
      const { width, height } = element.getBoundingClientRect();
      return (
        element.matches('button, a:not(.body a)') &&
        !element.matches('.meta') &&
        Math.min(width, height) < 43.9
      );
    });
    const named = (element: HTMLElement) => `${element.tagName} ${element.className} ${element.textContent}`;
    return [
      ...wide.filter((element) => !isMeant(element)).map((element) => `too wide: ${named(element)}`),
      ...small.map((element) => `too small: ${named(element)}`),
    ];
  });
}

/** Actions of a user, found by the texts of the language. */
function conversation(page: Page, t: (typeof TEXTS)['en' | 'zh']) {
  return {
    async say(body: string): Promise<void> {
      const box = page.getByRole('textbox', { name: t.composer.label });
      await box.fill(body);
      await box.press('Enter');
      await message(page, body.trim()).waitFor();
    },
    async isState(body: string, state: keyof typeof t.message.states): Promise<void> {
      await expect(message(page, body).getByText(t.message.states[state], { exact: true })).toBeAttached();
    },
    async menu(body: string): Promise<void> {
      await message(page, body).click({ button: 'right', position: { x: 20, y: 10 } });
      await page.getByRole('menu').waitFor();
    },
  };
}

/** From now on the storage of this device is full. */
async function failStorage(page: Page): Promise<void> {
  await page.evaluate(() => {
    IDBObjectStore.prototype.add = IDBObjectStore.prototype.put = () => {
      throw new DOMException('no room', 'QuotaExceededError');
    };
  });
}
