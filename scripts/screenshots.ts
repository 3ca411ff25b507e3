/**
 * `npm run screenshots`: takes the pictures in docs/, of the real page on the real server. Run `npm run build` first.
 * Needs a Chromium, and a font with Chinese characters.
 */
import { chromium, type Page } from '@playwright/test';
import { type ApiClient, connectClient, newId, signUp, text } from '../test/support/api.ts';
import { CHROMIUM_ARGS, findChromium, PHONE } from '../test/support/chromium.ts';
import { startProxy } from '../test/support/proxy.ts';
import { startServer } from '../test/support/serverProcess.ts';
import { takeScreens } from './screens.ts';

await using server = await startServer({ env: { LOG_LEVEL: 'silent' } });
await using network = await startProxy(server.port);

const mika = await join('Mika');
const lin = await join('林');
const rooms = { harbour: await makeRoom(mika, 'Harbour watch'), kitchen: await makeRoom(lin, 'Kitchen') };
await lin.request('room:join', { room: rooms.harbour, clientOffset: newId() });

const executablePath = findChromium();
if (executablePath === undefined) throw new Error('There is no Chromium here: set CHROMIUM_PATH.');
const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
const look = { ...PHONE, baseURL: network.url, deviceScaleFactor: 2, locale: 'en-GB' };
const page = await (await browser.newContext({ ...look, colorScheme: 'light' })).newPage();
await page.goto('/');
await page.getByLabel('Your name').fill('Ada');
await page.getByRole('button', { name: 'Start chatting' }).click();
for (const name of ['Harbour watch', 'Kitchen']) {
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  await page.getByRole('button', { name: 'Add a room' }).click();
  await page.getByRole('button', { name: `Join ${name}` }).click();
  await page.getByRole('heading', { name }).waitFor();
}
await page.getByRole('link', { name: 'Back to the rooms' }).click();

await lin.append(text('Soup is ready at one', rooms.kitchen));
await mika.append(text('Tide turns at 14:20, we cast off at two.', rooms.harbour));
await mika.append(text('Bring the second radio please', rooms.harbour));
await page.getByRole('link', { name: /Harbour watch/ }).click();
await say('Have it. Battery at 80 %');
await lin.append(text('我在码头了，风有点大', rooms.harbour));
await page.getByRole('log').getByText('我在码头了').waitFor();
network.refuse();
for (const body of ['No signal behind the point, back in 20 minutes', 'Two seals on the rocks!'])
  await say(body);
await page.getByRole('main').getByText('Offline. 2 messages are waiting.').waitFor();
await page.screenshot({ path: 'docs/conversation-light.png' });

await page.emulateMedia({ colorScheme: 'dark' });
await page.getByRole('link', { name: 'Back to the rooms' }).click();
await page.getByRole('link', { name: /Kitchen/ }).waitFor();
await page.screenshot({ path: 'docs/rooms-dark.png' });
await takeScreens(browser);
await browser.close();
for (const { close } of [mika, lin]) close();

async function join(name: string): Promise<ApiClient> {
  return connectClient(server.url, await signUp(server.url, name));
}

async function makeRoom(of: ApiClient, name: string): Promise<string> {
  const id = newId();
  const answer = await of.makeRoom({ id, kind: 'public', name });
  if (!answer.ok) throw new Error(answer.error.message);
  return id;
}

async function say(body: string): Promise<void> {
  const box = page.getByRole('textbox', { name: 'Message' });
  await box.fill(body);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await message(page, body).waitFor();
}

function message(of: Page, body: string) {
  return of.getByRole('log').getByText(body, { exact: true });
}
