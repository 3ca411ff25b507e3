/** A recovery code, in the app: made on one device, used on another one. */
import { afterEach, expect, test } from 'vitest';
import { readRecoveryCode, recoveryGroups } from '../../../shared/recoveryCode.ts';
import { until } from '../db/until.ts';
import { createBrowser, type Tab } from './browser.ts';
import { createModelServer, mint } from './modelServer.ts';

const tabs: Tab[] = [];
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

async function adaWithCode() {
  const server = createModelServer();
  const open = () => {
    const tab = createBrowser(server).openTab({});
    tabs.push(tab);
    return tab;
  };
  const tab = open();
  await until('the first screen', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Ada');
  await tab.untilLive();
  await tab.untilPassing('the session', () => tab.signedIn().hasRecoveryCode === false);
  const made = await (await tab.client.devices()).makeRecoveryCode();
  const { user } = tab.signedIn();
  return { server, open, tab, user, code: (made as { code: string }).code };
}

test('a code that is written down as digits signs in on a new browser, as the same user', async () => {
  const { server, open, tab, user, code } = await adaWithCode();
  server.cookie = undefined;
  tab.kill();
  const other = open();
  await until('the first screen', () => other.app().tag === 'signed-out');
  expect(await other.client.signIn('Ada')).toMatchObject({ reason: { code: 'conflict' } });
  const wrong = { recovery: mint(), signOutOthers: false };
  expect(await other.client.signIn('Ada', undefined, wrong)).toMatchObject({
    reason: { code: 'unauthorized' },
  });
  const read = readRecoveryCode(recoveryGroups(code).join(' '));
  if (read.tag !== 'code') throw new Error(read.tag);
  const right = { recovery: read.id, signOutOthers: true };
  expect(await other.client.signIn('Ada', undefined, right)).toEqual({ ok: true });
  await other.untilLive();
  expect(other.signedIn().user).toEqual(user);
  await other.untilPassing('the session', () => other.signedIn().hasRecoveryCode === true);
});

test('O4 on a device whose session is gone, the code signs in as the same user, who keeps the outbox', async () => {
  const { server, tab, user, code } = await adaWithCode();
  server.reachable = false;
  server.live()!.drop();
  await tab.client.send('lobby', 'waits');
  server.cookie = undefined;
  server.reachable = true;
  const right = { recovery: code, signOutOthers: false };
  expect(await tab.client.signIn('Ada', undefined, right)).toEqual({ ok: true });
  await tab.untilLive();
  expect(tab.signedIn().user).toEqual(user);
  await tab.untilPassing('everything sent', () => tab.signedIn().waiting === 0);
});
