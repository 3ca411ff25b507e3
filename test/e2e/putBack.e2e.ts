/** The server is restored from an older copy of its database: devices discard their logs and keep their outbox. */
import type { Page } from '@playwright/test';
import {
  bodyOf,
  connectClient,
  type SignedUp,
  signUp as signUpByApi,
  text,
  wholeLog,
} from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import type { MongoServer } from '../support/mongo/index.ts';
import { startProxy } from '../support/proxy.ts';
import { type Copy, databaseIn, type StoppedDatabase } from '../support/putBack.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import {
  BOTH,
  bodies,
  composer,
  expect,
  expectState,
  message,
  rightClick,
  say,
  signUp,
  startInstallation,
  test,
} from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';
import { goToNewest, readToTheBeginning } from './support/scroll.ts';

const DRAFT = 'half a though';

test(
  'S1 O4 the database is replaced by an older copy: every client notices and reloads the log, keeps its outbox and drafts, and sends them',
  BOTH,
  async ({ mongo, phone }) => {
    await using world = await startWorld(mongo);
    const { server, network } = world;
    const bob = await signUpByApi(server.url, 'Bob');
    const ada = await openApp(phone, network.url, 'Ada');
    const cleo = await openApp(phone, server.url, 'Cleo');
    await say(ada, 'kept');
    await expectState(ada, 'kept', 'Sent');
    const copy = await world.copy();

    await write(server, bob, ...numbered('lost of Bob', 12)); // more than the entries that replace them
    await say(ada, 'lost of Ada');
    for (const page of [ada, cleo]) await expect(message(page, 'lost of Bob 12')).toBeVisible();
    await expect(message(cleo, 'lost of Ada')).toBeVisible();
    network.refuse();
    await change(ada, 'kept', 'kept, changed');
    await change(ada, 'lost of Ada', 'lost of Ada, changed');
    for (const body of ['waits 1', 'waits 2']) await say(ada, body);
    await composer(ada).fill(DRAFT);
    await world.replace(copy);
    network.pass();

    await expectState(ada, 'waits 2', 'Sent');
    const log = ['kept, changed', 'waits 1', 'waits 2'];
    await expect.poll(() => bodies(cleo)).toEqual(log);
    await expect.poll(() => bodies(ada)).toEqual([...log, 'lost of Ada, changed']);
    await expectState(ada, 'lost of Ada, changed', 'Not sent'); // the target no longer exists, so the edit is kept as not sent
    await expect(composer(ada)).toHaveValue(DRAFT);
    await ada.reload();
    await expect.poll(() => bodies(ada)).toEqual([...log, 'lost of Ada, changed']);
    await expect(composer(ada)).toHaveValue(DRAFT);
    expect(await recordsOf(ada, { containing: 'lost of Bob' })).toEqual([]);
    expect(await textsIn(server, bob)).toEqual(['kept', 'kept, changed', 'waits 1', 'waits 2']);
  },
);

test('S1 O4 an older copy has grown beyond the client’s log with different entries: the client notices all the same', async ({
  mongo,
  phone,
}) => {
  await using world = await startWorld(mongo);
  const { server, network } = world;
  const bob = await signUpByApi(server.url, 'Bob');
  const ada = await openApp(phone, network.url, 'Ada');
  await say(ada, 'kept');
  await expectState(ada, 'kept', 'Sent');
  const copy = await world.copy();
  await crowdSays(server.url, numbered('lost', 150)); // more than fit in the view, loaded again as they come into view
  await goToNewest(ada, 'lost 150');
  network.refuse();
  await say(ada, 'waits');
  await world.replace(copy);
  const others = numbered('other', 260); // more than a catch-up has, so that stored entries below it would remain
  await crowdSays(server.url, others);
  network.pass();

  await expect.poll(() => recordsOf(ada, { containing: '"lost ' })).toEqual([]);
  // the log opens at its first unread message, unless that took so long to come that the newest ones are read
  await expect
    .poll(async () => (await message(ada, others[0]!).isVisible()) || (await isReadToTheEnd(ada)))
    .toBe(true);
  await goToNewest(ada, 'waits');
  await expectState(ada, 'waits', 'Sent');
  const { lines } = await readToTheBeginning(ada);
  expect(lines).toEqual(['kept', ...others, 'waits']);
  expect(await textsIn(server, bob)).toEqual(['kept', ...others, 'waits']);
});

test(
  'S1 O4 `npm run restore` restores a copy with a new epoch: the log is reloaded although nothing differs, and the outbox is sent',
  BOTH,
  async ({ mongo, phone }) => {
    await using world = await startWorld(mongo);
    const { server, network } = world;
    const bob = await signUpByApi(server.url, 'Bob');
    const ada = await openApp(phone, network.url, 'Ada');
    await say(ada, 'kept');
    await expectState(ada, 'kept', 'Sent');
    const copy = await world.copy();
    network.refuse();
    await say(ada, 'waits');
    await composer(ada).fill(DRAFT);
    await markEntries(ada);
    await world.replace(copy, 'by npm run restore');
    network.pass();

    await expectState(ada, 'waits', 'Sent');
    expect(await bodies(ada)).toEqual(['kept', 'waits']);
    await expect(composer(ada)).toHaveValue(DRAFT);
    expect(await recordsOf(ada, { containing: 'of the old log' })).toEqual([]);
    expect(await textsIn(server, bob)).toEqual(['kept', 'waits']);
  },
);

test('O2 O4 O5 a backup from before Ada signed up is restored: she is told, can read what she wrote, and after signing up by the same name all of it is sent once', async ({
  mongo,
  phone,
}) => {
  await using world = await startWorld(mongo);
  const { server } = world;
  const bob = await signUpByApi(server.url, 'Bob');
  const ada = await forgottenAda(world, phone);
  await expect(told(ada)).toBeVisible();
  await expectState(ada, 'waits 2', 'Queued');
  await expect(composer(ada)).toHaveValue(DRAFT);
  await ada.reload();
  await expect(told(ada)).toBeVisible();
  await expectState(ada, 'waits 2', 'Queued');

  await signInAgain(ada);
  for (const body of WAITING) await expectState(ada, body, 'Sent');
  expect(await bodies(ada)).toEqual(WAITING);
  await expect(composer(ada)).toHaveValue(DRAFT);
  await expect(told(ada)).toHaveCount(0);
  await ada.reload();
  await expect.poll(() => bodies(ada)).toEqual(WAITING);
  await expect(composer(ada)).toHaveValue(DRAFT);
  await say(ada, 'after');
  await expectState(ada, 'after', 'Sent');
  expect(await textsIn(server, bob)).toEqual([...WAITING, 'after']);
});

test('O4 a backup from before Ada signed up is restored, and somebody else takes her name: she is told, and chooses another', async ({
  mongo,
  phone,
}) => {
  await using world = await startWorld(mongo);
  const { server } = world;
  const bob = await signUpByApi(server.url, 'Bob');
  const ada = await forgottenAda(world, phone);
  await signUpByApi(server.url, 'ADA');
  await expect(told(ada)).toBeVisible();
  await signInAgain(ada);
  const sheet = ada.getByRole('dialog');
  await expect(
    sheet.getByText('Somebody has signed up as Ada in the meantime.', { exact: false }),
  ).toBeVisible();
  await sheet.getByRole('button', { name: 'Sign in' }).click();
  await expect(sheet.getByText('Enter a password first.')).toBeVisible();
  await sheet.getByRole('textbox', { name: 'Your name' }).fill('Bob');
  await sheet.getByRole('button', { name: 'Sign in' }).click();
  await expect(sheet.getByText('That name is taken.')).toBeVisible();
  await sheet.getByRole('textbox', { name: 'Your name' }).fill('Ada of the harbour');
  await sheet.getByRole('button', { name: 'Sign in' }).click();
  for (const body of WAITING) await expectState(ada, body, 'Sent');
  await expect(composer(ada)).toHaveValue(DRAFT);
  expect(await textsIn(server, bob)).toEqual(WAITING);
});

test('O1 O2 O4 the browser is killed while Ada signs up again: all of it is sent once, in order, and the draft is kept', async ({
  mongo,
  storage,
}) => {
  await using world = await startWorld(mongo);
  const { server, network } = world;
  const bob = await signUpByApi(server.url, 'Bob');
  let installed = await startInstallation(storage.path, network.url);
  const ada = await forgottenAda(world, async (url) => {
    const page = await installed.context.newPage();
    await page.goto(url);
    return page;
  });
  await expect(told(ada)).toBeVisible();
  const answered = ada.waitForResponse((response) => response.status() === 201);
  await signInAgain(ada);
  await answered; // she is a new user there; what she wrote is in the database of the old user
  await installed.kill9();

  installed = await startInstallation(storage.path, network.url);
  const again = await installed.context.newPage();
  await again.goto('/');
  await again.getByRole('link', { name: /lobby/i }).click();
  await expect(composer(again)).toHaveValue(DRAFT);
  await expect(told(again).or(message(again, WAITING[1]!).getByText('Sent', { exact: true }))).toBeAttached();
  if (await told(again).isVisible()) await signInAgain(again);
  for (const body of WAITING) await expectState(again, body, 'Sent');
  expect(await bodies(again)).toEqual(WAITING);
  await expect(composer(again)).toHaveValue(DRAFT);
  expect(await textsIn(server, bob)).toEqual(WAITING);
  await installed.close();
});

const WAITING = ['waits 1', 'waits 2'];

/** Ada has queued messages and a draft; then a copy from before her sign-up is restored. */
async function forgottenAda(world: World, phone: (url: string) => Promise<Page>): Promise<Page> {
  const copy = await world.copy();
  const ada = await openApp(phone, world.network.url, 'Ada');
  await say(ada, 'lost');
  await expectState(ada, 'lost', 'Sent');
  world.network.refuse();
  for (const body of WAITING) await say(ada, body);
  await composer(ada).fill(DRAFT);
  await world.replace(copy, 'by npm run restore');
  world.network.pass();
  return ada;
}

/** In the room; the list of rooms, hidden on a phone, has the same line. */
function told(page: Page) {
  return page.getByRole('main').getByText('The server was restored from a backup', { exact: false });
}

async function signInAgain(page: Page): Promise<void> {
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
}

interface World extends AsyncDisposable {
  server: ServerProcess;
  network: Awaited<ReturnType<typeof startProxy>>;
  /** Copies the database while the server is stopped. */
  copy(): Promise<Copy>;
  replace(copy: Copy, how?: 'by npm run restore'): Promise<void>;
}

/** A server whose database the test can replace. */
async function startWorld(mongo: MongoServer | undefined): Promise<World> {
  const mongoUrl = mongo?.anotherUrl();
  const server = await startServer({ env: mongoUrl === undefined ? {} : { MONGODB_URL: mongoUrl } });
  const network = await startProxy(server.port);
  const database = databaseIn(server.data, mongoUrl);
  const stopped = async <T>(work: (database: StoppedDatabase) => Promise<T>) => {
    await server.stop();
    const result = await work(database);
    await server.start();
    return result;
  };
  return {
    server,
    network,
    copy: () => stopped(({ copy }) => copy()),
    replace: (copy, how) => stopped(() => (how ? copy.restore() : copy.putBack())),
    async [Symbol.asyncDispose]() {
      await network.close();
      await server.dispose();
    },
  };
}

async function openApp(phone: (url: string) => Promise<Page>, url: string, name: string): Promise<Page> {
  const page = await phone(url);
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager')); // or the service worker would send, too
  await page.reload();
  await signUp(page, name);
  return page;
}

async function change(page: Page, body: string, other: string): Promise<void> {
  await rightClick(page, body);
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await say(page, other);
}

async function write({ url }: ServerProcess, author: SignedUp, ...texts: string[]): Promise<void> {
  using client = await connectClient(url, author);
  expect(await client.append(...texts.map((body) => text(body)))).toMatchObject({ ok: true });
}

async function textsIn({ url }: ServerProcess, reader: SignedUp): Promise<string[]> {
  return (await wholeLog(url, reader)).flatMap((entry) => bodyOf(entry) ?? []);
}

/** Changes the stored records, so that they can be told from records that are fetched again. */
async function markEntries(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { name } = (await indexedDB.databases()).find((each) => each.name!.startsWith('holdfast:'))!;
    const db = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open(name!);
      opening.onsuccess = () => resolve(opening.result);
    });
    const transaction = db.transaction('log', 'readwrite');
    const cursor = transaction.objectStore('log').openCursor();
    cursor.onsuccess = () => {
      cursor.result?.update({ ...cursor.result.value, note: 'of the old log' });
      cursor.result?.continue();
    };
    await new Promise((resolve) => {
      transaction.oncomplete = resolve;
    });
    db.close();
  });
}

/** The only room of the device. */
async function isReadToTheEnd(page: Page): Promise<boolean> {
  const [room] = await recordsOf(page, { store: 'rooms' });
  const [mark] = await recordsOf(page, { store: 'marks' });
  return room !== undefined && Math.max(mark?.value.upTo ?? 0, room.value.readUpTo) === room.value.head;
}
