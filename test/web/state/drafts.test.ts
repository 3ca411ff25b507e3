import { afterEach, beforeEach, expect, test } from 'vitest';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { DRAFT_IDLE_MS } from '../../../web/records/pageLimits.ts';
import { createDrafts, type Drafts } from '../../../web/state/drafts.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { until } from '../db/until.ts';
import { mint } from './modelServer.ts';

import 'fake-indexeddb/auto';

let clock: FakeClock;
let db: UserDatabase;
let drafts: Drafts;
let writes: Promise<unknown>[];
/** The page hears of a stored write after this. */
let delay: Promise<void> | undefined;
beforeEach(() => {
  delay = undefined;
  clock = createFakeClock();
  const real = openUserDatabase(new IDBFactory(), clock, mint());
  writes = [];
  db = {
    ...real,
    write(stores, work) {
      const late = delay;
      const writing = real.write(stores, work).then(async (result) => {
        await late;
        return result;
      });
      writes.push(writing);
      return writing;
    },
  };
  const storage = { worked() {}, failed() {} };
  drafts = createDrafts({ db, clock, storage, newKey: mint, changed() {} });
});
afterEach(() => {
  drafts.close();
  db.close();
});

const stored = () => db.read(['drafts'], (tx) => tx.objectStore('drafts').get('r'));
const isHello = (text: string) => text === 'Hello';

async function typed(): Promise<void> {
  drafts.save('r', 'Hello');
  await drafts.flush();
  await Promise.resolve();
}

test('a draft that was deleted as its message was queued is not deleted again when the composer is emptied', async () => {
  await typed();
  const count = writes.length;
  const queueing = drafts.queue('r', 'Hello', isHello);
  expect(queueing.isDraft).toBe(true);
  queueing.stored(true);
  drafts.save('r', '');
  expect(writes).toHaveLength(count);
  drafts.save('r', 'the next one');
  await drafts.flush();
  expect(await stored()).toMatchObject({ text: 'the next one' });
  drafts.save('r', '');
  await until('deleted', async () => (await stored()) === undefined);
});

test('O3 it is deleted again where it was still being written: that write may run again, after the deletion', async () => {
  drafts.save('r', 'Hello');
  drafts.queue('r', 'Hello', isHello).stored(true);
  drafts.save('r', '');
  await until('deleted', async () => writes.length === 2 && (await stored()) === undefined);
});

test('what is typed during a write is not written right after it, but after a pause', async () => {
  const end = Promise.withResolvers<void>();
  delay = end.promise;
  drafts.save('r', 'Hel');
  drafts.save('r', 'Hell');
  drafts.save('r', 'Hello');
  end.resolve();
  await writes[0];
  await new Promise((resolve) => setTimeout(resolve)); // as long as a write that follows at once would take to begin
  expect(writes).toHaveLength(1);
  clock.pass(DRAFT_IDLE_MS);
  await until('stored', async () => (await stored())?.text === 'Hello');
  expect(writes).toHaveLength(2);
});

test('O4 when the page may be gone soon, what was typed during a write is written without waiting for its end', async () => {
  const end = Promise.withResolvers<void>();
  delay = end.promise;
  drafts.save('r', 'Hel');
  drafts.save('r', 'Hello');
  const flushed = drafts.flush();
  await until('stored', async () => (await stored())?.text === 'Hello');
  end.resolve();
  await flushed;
  expect(await stored()).toMatchObject({ text: 'Hello' });
});

test('O4 where the message could not be stored, or another draft was found, the text is stored and deleted as before', async () => {
  await typed();
  drafts.queue('r', 'Hello', isHello).failed();
  await drafts.flush();
  expect(await stored()).toMatchObject({ text: 'Hello' });
  drafts.queue('r', 'Hello', isHello).stored(false);
  drafts.save('r', '');
  await until('deleted', async () => (await stored()) === undefined);
});
