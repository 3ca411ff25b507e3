import { afterEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { createComposerModels } from '../../../web/view/composerModel.ts';
import { until } from '../db/until.ts';
import { createBrowser, type Tab } from '../state/browser.ts';
import { createModelServer } from '../state/modelServer.ts';

const tabs: Tab[] = [];

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

async function twoTabs() {
  const browser = createBrowser(createModelServer());
  const one = browser.openTab();
  tabs.push(one);
  await until('signed out', () => one.app().tag === 'signed-out');
  expect(await one.client.signIn('Mika')).toEqual({ ok: true });
  await one.untilLive();
  const other = browser.openTab();
  tabs.push(other);
  await until('signed in', () => other.app().tag === 'signed-in');
  other.look(LOBBY);
  return { one, other };
}

test('O3 a text that another tab has sent leaves the composer', async () => {
  const { one, other } = await twoTabs();
  one.client.saveDraft(LOBBY, ' on my way\n');
  await until('stored', () => other.signedIn().rooms[0]!.draft === ' on my way\n');
  const box = createComposerModels(other.client).ofRoom(LOBBY, '');
  await box.loaded;
  expect(box.get().text).toBe(' on my way\n');
  expect(await one.client.send(LOBBY, ' on my way\n')).toEqual({ ok: true });
  await until('empty', () => box.get().text === '');
  expect(await other.client.draft(LOBBY)).toBe('');
});

test('O4 a text that differs from what another tab has sent stays, and is a draft', async () => {
  const { one, other } = await twoTabs();
  const box = createComposerModels(other.client).ofRoom(LOBBY, '');
  await box.loaded;
  box.type('on my way home');
  one.client.saveDraft(LOBBY, 'on my way');
  expect(await one.client.send(LOBBY, 'on my way')).toEqual({ ok: true });
  await until('shown', () => other.read(LOBBY).some((line) => line.startsWith('on my way')));
  expect(box.get().text).toBe('on my way home');
});
