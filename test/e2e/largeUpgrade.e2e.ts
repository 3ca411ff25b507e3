/**
 * Upgrade of a large database: a phone has 50,000 entries (150,000 with TEST_LENGTH=soak) and three queued messages of version 0.1 and gets this version. It
 * opens at once, sends the queue, and migrates the entries in slices while it is used. Killed in the middle, it resumes.
 */
import type { Page } from '@playwright/test';
import { fillServer } from '../budgets/fillServer.ts';
import { bodyOf, newId, signUp as signUpByApi, type wholeLog } from '../support/api.ts';
import { addPageDatabase } from '../support/pageDatabase.ts';
import { testLength } from '../support/runs.ts';
import {
  bodies,
  composer,
  expect,
  expectState,
  message,
  say,
  signUp,
  startInstallation,
  test,
} from './fixtures.ts';

const HELD = testLength() === 'soak' ? 150_000 : 50_000;
/** Progress after the kill that is enough. A whole migration takes minutes; test/web/state/update.test.ts runs a smaller one. */
const GOES_ON_BY = 3_000;
const WAITING = ['waits, one', 'waits, two', 'waits, three'];

test('O1 O2 O4 S1 50,000 entries and queued rows of version 0.1 are migrated while the app is used and killed: nothing is lost', async ({
  server,
  storage,
}) => {
  test.setTimeout(240_000);
  const before = await startInstallation(storage.path, server.url);
  const page = await before.context.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  await say(page, 'of the first day');
  await expectState(page, 'of the first day', 'Sent');
  const name = await page.evaluate(async () => {
    const all = await indexedDB.databases();
    return all.map((each) => each.name!).find((each) => each.startsWith('holdfast:'))!;
  });
  await addPageDatabase(page);
  await page.goto('/healthz'); // the same origin without the app, so that nothing has the database open
  await server.stop();
  const { room, head, pages } = await fillServer(server.data, name.slice('holdfast:'.length), HELD);
  await server.start();
  await page.evaluate(makeVersion3, name);
  for (const entries of pages) await page.evaluate(put, { name, room, json: JSON.stringify(entries) });
  await page.evaluate(finish, {
    name,
    room,
    head,
    rows: WAITING.map((body) => ({ body, clientOffset: newId() })),
  });

  await page.goto('/'); // the new version opens with the old entries and sends the queue
  await openLobby(page);
  await expect(page.getByRole('main').getByText('Preparing the messages on this device')).toBeVisible();
  for (const body of WAITING) await expectState(page, body, 'Sent');
  await say(page, 'said while it moves');
  await expectState(page, 'said while it moves', 'Sent');
  const middle = await counts(page, name);
  expect(middle.old).toBeGreaterThan(0);
  expect(middle.old + middle.held).toBeGreaterThanOrEqual(head);
  await before.kill9();

  const after = await startInstallation(storage.path, server.url);
  const again = await after.context.newPage();
  await addPageDatabase(again);
  await again.goto('/');
  await openLobby(again);
  await expect(message(again, 'said while it moves')).toBeVisible();
  await say(again, 'said after the kill');
  await expectState(again, 'said after the kill', 'Sent');
  await expect
    .poll(async () => (await counts(again, name)).old, { timeout: 60_000 })
    .toBeLessThan(middle.old - GOES_ON_BY);
  const later = await counts(again, name);
  expect(later.rows).toBe(0);
  // Nothing is lost: the old entries end where the migrated ones begin, and each part is as long as its span (S1).
  const cut = later.oldSpans[0]!.to;
  expect(later).toMatchObject({ old: cut, oldSpans: [{ from: 1, to: cut }] });
  expect(later.spans).toEqual([{ from: cut + 1, to: head + WAITING.length + 2 }]);
  expect(later.held).toBe(head + WAITING.length + 2 - cut);
  const watcher = await signUpByApi(server.url, 'Watcher');
  const log = (await wholeLogFrom(server.url, watcher, head - 100)).flatMap((entry) => bodyOf(entry) ?? []);
  expect(log.slice(-5)).toEqual([...WAITING, 'said while it moves', 'said after the kill']);
  expect((await bodies(again)).slice(-5)).toEqual(log.slice(-5));
  await after.close();
});

async function openLobby(page: Page): Promise<void> {
  if (!(await composer(page).isVisible())) await page.getByRole('link', { name: /lobby/i }).click();
  await expect(composer(page)).toBeVisible();
}

type Whole = typeof wholeLog;
/** The end of the lobby's log. */
async function wholeLogFrom(url: string, session: Parameters<Whole>[1], from: number) {
  const entries: Awaited<ReturnType<Whole>> = [];
  for (let next = from; ; ) {
    const answer = await fetch(`${url}/api/rooms/lobby/entries?from=${next}&to=${next + 199}`, {
      headers: { authorization: `Bearer ${session.token}` },
    });
    const page = (await answer.json()) as { entries: Awaited<ReturnType<Whole>> };
    if (page.entries.length === 0) return entries;
    entries.push(...page.entries);
    next += page.entries.length;
  }
}

/** Runs in the page, as the functions below do. Creates the stores of version 0.1 (web/db/userDatabase.ts, version 3). */
async function makeVersion3(name: string): Promise<void> {
  await pageDatabase.result(indexedDB.deleteDatabase(name));
  const db = await pageDatabase.open(name, 3, (created) => {
    created.createObjectStore('rooms', { keyPath: 'id' });
    created.createObjectStore('users', { keyPath: 'id' });
    const rows = created.createObjectStore('rows', { keyPath: 'seq', autoIncrement: true });
    rows.createIndex('clientOffset', 'clientOffset', { unique: true });
    rows.createIndex('room', 'room');
    rows.createIndex('target', ['room', 'target']);
    rows.createIndex('state', ['state.tag', 'room']);
    for (const store of ['entries', 'loose'])
      created
        .createObjectStore(store, { keyPath: ['room', 'serverOffset'] })
        .createIndex('target', ['room', 'target']);
    created.createObjectStore('spans', { keyPath: ['room', 'from'] });
    created.createObjectStore('drafts', { keyPath: 'room' });
    created.createObjectStore('marks', { keyPath: 'room' });
    created.createObjectStore('meta');
  });
  db.close();
}

async function put({ name, room, json }: { name: string; room: string; json: string }): Promise<void> {
  const db = await pageDatabase.open(name);
  const tx = db.transaction('entries', 'readwrite', { durability: 'relaxed' });
  for (const entry of JSON.parse(json)) tx.objectStore('entries').put({ ...entry, room });
  await pageDatabase.committed(tx);
  db.close();
}

interface Rest {
  name: string;
  room: string;
  head: number;
  rows: { body: string; clientOffset: string }[];
}

/** Adds one span over all entries, the room, and the queued messages. */
async function finish({ name, room, head, rows }: Rest): Promise<void> {
  const db = await pageDatabase.open(name);
  const tx = db.transaction(['spans', 'rooms', 'rows'], 'readwrite', { durability: 'strict' });
  tx.objectStore('spans').put({ room, from: 1, to: head, amendedTo: head });
  tx.objectStore('rooms').put({ id: room, kind: 'public', name: 'Lobby', head, readUpTo: head, members: 8 });
  for (const { body, clientOffset } of rows)
    tx.objectStore('rows').add({
      kind: 'text',
      body,
      room,
      clientOffset,
      at: 1,
      state: { tag: 'queued' },
      attempted: false,
      failures: 0,
      rekeyed: false,
    });
  await pageDatabase.committed(tx);
  db.close();
}

/** The old and the migrated entries and spans of the lobby, and the number of rows in the outbox. */
function counts(page: Page, name: string) {
  return page.evaluate(async (database) => {
    const { open, result } = pageDatabase;
    const db = await open(database);
    const tx = db.transaction(['entries', 'spans', 'log', 'logSpans', 'rows']);
    const lobby = IDBKeyRange.bound(['lobby', 0], ['lobby', Number.POSITIVE_INFINITY]);
    const [old, oldSpans, held, spans, rows] = await Promise.all([
      result(tx.objectStore('entries').count(lobby)),
      result(tx.objectStore('spans').getAll(lobby)),
      result(tx.objectStore('log').count(lobby)),
      result(tx.objectStore('logSpans').getAll(lobby)),
      result(tx.objectStore('rows').count()),
    ]);
    db.close();
    const ends = (all: { from: number; to: number }[]) => all.map(({ from, to }) => ({ from, to }));
    return { old, oldSpans: ends(oldSpans), held, spans: ends(spans), rows };
  }, name);
}
