/** Chinese (简体中文) and English: chosen by the browser's language, or by the user. */
import type { Page } from '@playwright/test';
import { canStartOffline, expect, expectState, message, say, signUp, test } from './fixtures.ts';

test.describe('a browser whose language is Chinese', () => {
  test.use({ locale: 'zh-CN' });

  test('gets Chinese from the first screen on, also for screen readers', async ({ server, phone }) => {
    const page = await phone(server.url);
    await page.getByRole('textbox', { name: '你的名字' }).fill('小林');
    await page.getByRole('button', { name: '开始聊天' }).click();
    await expect(page.getByRole('textbox', { name: '消息' })).toBeVisible();
    expect(await languageOf(page)).toBe('zh-Hans');
    await expect(page.getByRole('heading', { name: '大厅' })).toBeVisible();
    await page.getByRole('link', { name: '返回聊天室列表' }).click();
    await expect(page.getByRole('link', { name: /大厅.*还没有消息/ })).toBeVisible();
  });
});

test('the language can be changed on the first screen, and keeps what was typed', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await page.getByRole('textbox', { name: 'Your name' }).fill('小林');
  await expect(page.getByRole('button', { name: 'English' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('button', { name: '简体中文' }).tap();
  await expect(page.getByRole('textbox', { name: '你的名字' })).toHaveValue('小林');
  await expect(page.getByRole('button', { name: '简体中文' })).toHaveAttribute('aria-pressed', 'true');
  expect(await languageOf(page)).toBe('zh-Hans');
  await page.reload();
  await page.getByRole('textbox', { name: '你的名字' }).fill('小林');
  await page.getByRole('button', { name: '开始聊天' }).tap();
  await expect(page.getByRole('textbox', { name: '消息' })).toBeVisible();
});

test('a change of language keeps all state, and survives a reload and an offline start', async ({
  network,
  phone,
}) => {
  const page = await phone(network.url);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await signUp(page, 'Ada');
  await say(page, 'Hello');
  await expectState(page, 'Hello', 'Sent');
  expect(asked.filter((path) => path.includes('/zh-'))).toEqual([]); // English users do not load the Chinese texts
  await canStartOffline(page);
  await page.getByRole('textbox', { name: 'Message' }).fill('half a sen');

  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: '简体中文' }).click();
  await expect(page.getByRole('button', { name: '退出登录' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('textbox', { name: '消息' })).toHaveValue('half a sen');
  await expectState(page, 'Hello', '已发送');

  network.refuse();
  await page.reload();
  await expect(message(page, 'Hello')).toBeVisible();
  await expect(page.getByRole('textbox', { name: '消息' })).toHaveValue('half a sen');
  expect(await languageOf(page)).toBe('zh-Hans');

  await page.getByRole('button', { name: '菜单' }).click();
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  expect(await languageOf(page)).toBe('en');
});

function languageOf(page: Page): Promise<string> {
  return page.evaluate(() => document.documentElement.lang);
}
