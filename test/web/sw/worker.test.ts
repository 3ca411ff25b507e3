import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import type { Item } from '../../../shared/protocol/index.ts';
import type { Channel } from '../../../web/db/changes.ts';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import type { BackgroundResult } from '../../../web/outbox/backgroundDrain.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import type { Change } from '../../../web/records/change.ts';
import type { NewItem, Row } from '../../../web/records/row.ts';
import { mustRunAgain, wake } from '../../../web/sw/wake.ts';
import { TEST_FEATURE, useProductKinds, useTestKinds } from '../../support/testKinds.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { newItemOf } from '../outbox/support.ts';
import { type Browser, createBrowser, createLocks, readAll, type Tab } from '../state/browser.ts';
import { createModelServer, type ModelServer, mint } from '../state/modelServer.ts';

let server: ModelServer;
let browser: Browser;
let locks: ReturnType<typeof createLocks>;
let told: Change[];
let posts: string[][];
let knocks: number;
/** Of the tabs, which hear of what the worker has changed. */
let channels: Map<string, Set<Channel>>;

beforeEach(() => {
  server = createModelServer();
  browser = createBrowser(server);
  locks = createLocks();
  told = [];
  posts = [];
  knocks = 0;
  channels = new Map();
});

function openTab(): Tab & { gone(): void } {
  const held = locks.forTab();
  const channel = (name: string) => {
    const all = channels.get(name) ?? new Set();
    channels.set(name, all);
    const own: Channel = { postMessage() {}, onmessage: null, close: () => void all.delete(own) };
    all.add(own);
    return own;
  };
  const tab = browser.openTab({ locks: held.manager, channel });
  return Object.assign(tab, {
    gone() {
      tab.kill();
      held.releaseAll();
    },
  });
}

/** A user who wrote messages without a network. */
async function queued(...bodies: string[]): Promise<Tab & { gone(): void }> {
  const tab = openTab();
  await until('started', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Ada', undefined);
  await tab.untilLive();
  tab.look(LOBBY);
  server.reachable = false;
  server.live()!.drop();
  for (const body of bodies) await tab.client.send(LOBBY, body);
  return tab;
}

type Http = (items: Item[], as: string) => Response | Promise<Response>;

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

const session = () =>
  json(200, {
    user: server.cookie,
    device: { id: mint() },
    hasPassword: false,
    devices: 1,
    features: server.features,
  });
const portal = () => new Response('<html>Welcome to our hotel', { status: 200 });

/** Like `POST /api/append` of the server. */
const accept: Http = (items, as) => {
  const answer = { ok: true, epoch: server.epoch };
  const results = items.map((item) => {
    const result = server.append(as, item);
    const { clientOffset } = item;
    return 'code' in result ? { clientOffset, error: result } : { clientOffset, ...result };
  });
  return json(200, { ...answer, results });
};

function wakeWorker(
  http: Http = accept,
  sessionAnswer: () => Response = session,
): { drained: Promise<BackgroundResult>; clock: FakeClock; killed(): void } {
  const clock = createFakeClock();
  const held = locks.forTab();
  const drained = wake({
    indexedDB: browser.indexedDB,
    clock,
    random: () => 0.5,
    randomBytes: (count) => Uint8Array.from({ length: count }, (_, i) => mint().charCodeAt(i + 1)),
    locks: held.manager,
    channel: (name) => ({
      postMessage(change) {
        told.push(change as Change);
        for (const tab of channels.get(name) ?? []) tab.onmessage?.({ data: change });
      },
      onmessage: null,
      close() {},
    }),
    async fetch(path, init) {
      if (path === '/api/session') {
        knocks++;
        return sessionAnswer();
      }
      const { as, items } = JSON.parse(String(init!.body)) as { as: string; items: Item[] };
      posts.push(items.map((item) => ('body' in item ? item.body : item.kind)));
      return http(items, as);
    },
  });
  return { drained, clock, killed: held.releaseAll };
}

const sent = () => server.rooms.get(LOBBY)!.log.map((entry) => ('body' in entry ? entry.body : entry.kind));
const rows = async (who: string) => (await readAll(browser.indexedDB, `holdfast:${who}`, 'rows')) as Row[];
const me = () => [...server.names.keys()][0]!;

test('O2 the worker sends the outbox once, in order, and notifies the tabs; the next page shows the messages as sent', async () => {
  const tab = await queued('a', 'b', 'c');
  tab.gone();
  expect(await wakeWorker().drained).toBe('empty');
  expect(sent()).toEqual(['a', 'b', 'c']);
  expect(await rows(me())).toEqual([]);
  expect(told).toContainEqual({ type: 'rows', rooms: [LOBBY] });
  expect(await wakeWorker().drained).toBe('empty');
  expect(posts).toHaveLength(1);
  server.reachable = true;
  const again = openTab();
  await again.untilLive();
  again.look(LOBBY);
  await until('shown', () => again.read(LOBBY).join() === 'a,b,c');
});

test('O2 S4 what the worker has sent shows that the network works: a tab that waits before it tries again connects at once', async () => {
  const tab = await queued('a');
  for (let waited = 0; waited < 60_000; waited += 500) {
    tab.clock.pass(500);
    await turns(2);
  }
  server.reachable = true; // and the next attempt is due in up to RETRY_MAX_MS
  expect(await wakeWorker().drained).toBe('empty');
  await until('live', () => tab.signedIn().connection.tag === 'live');
  await until('shown', () => tab.read(LOBBY).join() === 'a');
  expect(sent()).toEqual(['a']);
});

describe('O2 S5 the worker is woken while a tab is sending: it leaves the outbox to the tab', () => {
  let tab: Tab & { gone(): void };
  let worker: ReturnType<typeof wakeWorker>;
  let drained: BackgroundResult | undefined;

  beforeEach(async () => {
    tab = await queued('a', 'b');
    server.intercept = (event) => event === 'append'; // being sent
    server.reachable = true;
    await tab.untilPassing('the tab sends', () => tab.read(LOBBY)[0] === 'a (sending)');
    worker = wakeWorker();
    drained = undefined;
    void worker.drained.then((is) => {
      drained = is;
    });
    await until('the worker has asked', () => knocks === 1);
    await turns(); // it finds the lock taken
    expect([drained, tab.read(LOBBY)]).toEqual([undefined, ['a (sending)', 'b (sending)']]);
  });

  const untilWorkerEnds = () =>
    until('the worker ends', () => {
      worker.clock.pass(100);
      return drained !== undefined;
    });

  test('and ends well once the tab has sent all, or the browser would take no other registration for minutes', async () => {
    server.intercept = () => false;
    server.live()!.drop(); // the tab sends again
    await tab.untilPassing('the tab has sent', () => tab.read(LOBBY).join() === 'a,b');
    await untilWorkerEnds();
    expect([drained, posts, sent()]).toEqual(['empty', [], ['a', 'b']]);
  });

  test('and sends what a tab leaves that is closed', async () => {
    tab.gone();
    await untilWorkerEnds();
    expect([drained, posts, sent()]).toEqual(['empty', [['a', 'b']], ['a', 'b']]);
  });

  test('and is to be woken again where the tab is still sending when its time is over', async () => {
    await untilWorkerEnds();
    expect([drained, mustRunAgain(drained!), posts]).toEqual(['left', true, []]);
    expect(worker.clock.isSet()).toBe(false);
  });
});

test('S5 the lock of a suspended worker is stolen, and it sends nothing more', async () => {
  await queued('a').then((tab) => tab.gone());
  let answer = (_: Response) => {};
  const worker = wakeWorker(() => new Promise((resolve) => (answer = resolve)));
  await until('the worker sends', () => posts.length === 1);
  server.reachable = true;
  const tab = openTab();
  await tab.untilLive();
  tab.look(LOBBY);
  await tab.client.send(LOBBY, 'b');
  await tab.untilPassing('the tab has taken over', () => sent().length === 2);
  expect(await worker.drained).toBe('taken-over');
  answer(json(200, {}));
  await until('all sent', () => tab.read(LOBBY).join() === 'a,b');
  expect(sent()).toEqual(['a', 'b']);
});

test('O5 the worker sends nothing of a user who signed out, also not for the one who is signed in now', async () => {
  const tab = await queued('secret');
  const ada = me();
  server.reachable = true;
  server.intercept = (event) => event === 'append';
  await tab.client.signOut();
  expect(await wakeWorker().drained).toBe('empty');
  await tab.client.signIn('Ben', undefined);
  await tab.untilLive();
  tab.gone();
  expect(await wakeWorker().drained).toBe('empty');
  expect(posts).toEqual([]);
  expect(await rows(ada)).toMatchObject([{ body: 'secret' }]);
});

test('O2 O3 a captive portal’s page is no answer: the outbox goes on waiting, and the browser has to try again', async () => {
  await queued('a').then((tab) => tab.gone());
  const worker = wakeWorker(portal);
  let drained: BackgroundResult | undefined;
  void worker.drained.then((is) => {
    drained = is;
  });
  await until('given up', () => {
    worker.clock.pass(100);
    return drained !== undefined;
  });
  expect(drained).toBe('left');
  expect(posts.length).toBeGreaterThan(5);
  expect(posts.length).toBeLessThan(30);
  expect(await rows(me())).toMatchObject([{ body: 'a', state: { tag: 'checking' } }]);
  expect(worker.clock.isSet()).toBe(false);
  expect(await wakeWorker().drained).toBe('empty');
  expect(sent()).toEqual(['a']);
});

test('O3 O4 woken without a connection the worker changes nothing: rows stay queued, and can be edited in place', async () => {
  await queued('a').then((tab) => tab.gone());
  for (const sessionAnswer of [
    portal,
    () => json(503, { ok: false, error: { code: 'unavailable', message: '' } }),
  ]) {
    const worker = wakeWorker(accept, sessionAnswer);
    let drained: BackgroundResult | undefined;
    void worker.drained.then((is) => {
      drained = is;
    });
    await until('given up', () => {
      worker.clock.pass(100);
      return drained !== undefined;
    });
    expect(drained).toBe('left');
    expect(worker.clock.isSet()).toBe(false);
  }
  expect(knocks).toBeLessThan(40);
  expect(posts).toEqual([]);
  expect(await rows(me())).toMatchObject([{ state: { tag: 'queued' }, attempted: false }]);
});

test('O3 rows that are being sent when the worker’s time is over do not stay sending', async () => {
  await queued('a').then((tab) => tab.gone());
  let there = false;
  const worker = wakeWorker(
    () => new Promise(() => {}),
    () => (there ? session() : portal()),
  );
  for (let ms = 0; ms < 50_000; ms += 1_000) {
    worker.clock.pass(1_000);
    await turns(3);
  }
  there = true;
  await until('under way at last', () => {
    if (posts.length === 0) worker.clock.pass(100);
    return posts.length === 1;
  });
  expect(await rows(me())).toMatchObject([{ state: { tag: 'sending' } }]);
  worker.clock.pass(9_900); // the answer may still come
  expect(await worker.drained).toBe('left');
  expect(await rows(me())).toMatchObject([{ state: { tag: 'checking' } }]);
});

test('O3 L3 rows of a worker that is killed after its request are sent again under the same keys', async () => {
  await queued('a', 'b').then((tab) => tab.gone());
  const dying = wakeWorker((items, as) => {
    accept(items, as);
    return new Promise(() => {});
  });
  await until('sent', () => sent().length === 2);
  dying.killed();
  expect(await wakeWorker().drained).toBe('empty');
  expect(sent()).toEqual(['a', 'b']);
  expect(await rows(me())).toEqual([]);
});

test('an ended session or a version that is too old stops the worker without another attempt; a refusal parks the row, and the next ones are sent', async () => {
  await queued('a', 'b').then((tab) => tab.gone());
  const refusal = { ok: false, error: { code: 'unauthorized', message: '' } };
  expect(await wakeWorker(() => json(401, refusal)).drained).toBe('stopped');
  expect(await rows(me())).toMatchObject([{ state: { tag: 'queued' } }, { state: { tag: 'queued' } }]);
  expect(await wakeWorker(accept, () => json(401, refusal)).drained).toBe('stopped');
  expect(posts).toHaveLength(1);
  server.refuse.set('a', { code: 'forbidden', message: 'no' });
  expect(await wakeWorker().drained).toBe('empty');
  expect(sent()).toEqual(['b']);
  expect(await rows(me())).toMatchObject([{ body: 'a', state: { tag: 'parked' } }]);
});

test('O2 the worker waits out a rate limit, and parks nothing', async () => {
  await queued('a', 'b').then((tab) => tab.gone());
  let first = true;
  const worker = wakeWorker((items, as) => {
    if (!first) return accept(items, as);
    first = false;
    return json(429, { ok: false, error: { code: 'rate-limited', message: '', retryAfter: 20 } });
  });
  await until('asked once', () => posts.length === 1);
  await turns();
  worker.clock.pass(1_500);
  expect(await worker.drained).toBe('empty');
  expect(sent()).toEqual(['a', 'b']);
});

test('O2 items of any kind are sent as stored, unparsed; an item of a feature that the server lacks waits with its room until the server has it', async () => {
  useTestKinds();
  try {
    await queued('a').then((tab) => tab.gone());
    const of = (kind: string, more: Record<string, unknown>) =>
      newItemOf({ room: LOBBY, clientOffset: mint(), kind, ...more });
    const odd = of('of a later version', {
      body: undefined,
      x: { y: [1] },
      target: { author: mint(), clientOffset: mint() },
    });
    await queueNewItems(odd, of(TEST_FEATURE, { words: 'new' }), of('text', { body: 'behind it' }));
    useProductKinds(); // the worker's version knows none of these kinds
    const items: unknown[] = [];
    const keep: Http = (its, as) => {
      items.push(...its);
      return accept(its, as);
    };
    expect(await wakeWorker(keep).drained).toBe('empty');
    expect(items).toMatchObject([
      { body: 'a' },
      { kind: 'of a later version', x: { y: [1] }, target: { author: odd.targetAuthor } },
    ]);
    expect(await rows(me())).toMatchObject([
      { kind: 'of a later version' /* its target is nowhere */, state: { tag: 'parked' } },
      { kind: TEST_FEATURE, state: { tag: 'queued' }, attempted: false },
      { body: 'behind it', state: { tag: 'queued' }, attempted: false },
    ]);
    server.features = [TEST_FEATURE];
    expect(await wakeWorker(keep).drained).toBe('empty');
    expect(items.slice(2)).toMatchObject([{ kind: TEST_FEATURE, words: 'new' }, { body: 'behind it' }]);
  } finally {
    useProductKinds();
  }
});

/** As another tab does. */
async function queueNewItems(...newItems: NewItem[]): Promise<void> {
  const db = openUserDatabase(browser.indexedDB, createFakeClock(), me());
  for (const draft of newItems) await enqueue(db, draft);
  db.close();
}

test('O3 S3 the worker repeats a text that was deleted meanwhile and lies in a hole: the next page keeps no text of it', async () => {
  await queued('a secret').then((tab) => tab.gone());
  const [{ clientOffset }] = (await rows(me())) as [Row];
  const there = server.append(me(), { kind: 'text', room: LOBBY, clientOffset, body: 'a secret' }); // its answer was lost
  if ('code' in there) throw new Error(there.message);
  server.amend('delete', there.serverOffset);
  for (let n = 0; n < 300; n++) server.write(mint(), `${n}`);
  expect(await wakeWorker().drained).toBe('empty');
  expect(await rows(me())).toEqual([]);
  expect(told).toContainEqual({
    type: 'placed',
    placed: [{ room: LOBBY, serverOffset: there.serverOffset }],
  });

  server.reachable = true;
  const again = openTab();
  await again.untilLive();
  again.look(LOBBY);
  const held = async () =>
    JSON.stringify([
      await readAll(browser.indexedDB, `holdfast:${me()}`, 'log'),
      await readAll(browser.indexedDB, `holdfast:${me()}`, 'detached'),
    ]);
  await until('the newest are held', async () => (await held()).includes('"299"'));
  await until('its text is not', async () => !(await held()).includes('a secret'));
});
