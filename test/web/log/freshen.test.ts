import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import type { Answer } from '../../../shared/protocol/index.ts';
import { openUserDatabase } from '../../../web/db/schema.ts';
import { createFreshen } from '../../../web/log/freshen.ts';
import { take } from '../../../web/log/take.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { ROOM } from '../outbox/support.ts';
import { mint } from '../state/modelServer.ts';

test('S3 what was deleted while one was away is asked for when it is looked at, once, and is in no record', async () => {
  const [me, lin] = [mint(), mint()];
  const db = openUserDatabase(new IDBFactory(), createFakeClock(), me);
  const text = (serverOffset: number, body: string): Entry => ({
    serverOffset,
    author: lin,
    clientOffset: mint(),
    at: serverOffset,
    kind: 'text',
    body,
  });
  const store = async (entries: Entry[], amendments: Entry[], amendedTo: number, opens: boolean) =>
    (await take(db, me, { room: ROOM, entries, amendments, amendedTo, opens }, {})).held;
  const secret = text(2, 'secret');
  await store([text(1, 'a'), secret], [], 2, false);
  await store([text(900, 'b')], [], 900, true);

  const asked: unknown[] = [];
  const deletion = { ...text(500, ''), kind: 'delete', target: 2, body: undefined } as unknown as Entry;
  const { body: _, ...blank } = secret as Entry & { body: string };
  const answer: Answer<'range'> = {
    ok: true,
    epoch: 'one',
    entries: [{ ...blank, deleted: true } as unknown as Entry],
    amendments: [deletion],
    users: {},
    head: 900,
  };
  const { freshen } = createFreshen({
    db,
    asking: {
      async range(_, stretch) {
        asked.push(stretch);
        return answer;
      },
    },
    store: ({ entries, amendments, amendedTo, opens }) =>
      store([...entries], [...amendments], amendedTo, opens),
  });
  expect(await freshen(ROOM, { from: 900, to: 900 })).toBe('known');
  expect(await freshen(ROOM, { from: 2, to: 2 })).toBe('asked');
  expect(await freshen(ROOM, { from: 2, to: 2 })).toBe('known');
  expect(asked).toEqual([{ from: 2, to: 2 }]);
  const records = await db.read(['entries', 'loose'], async (tx) => [
    await tx.objectStore('entries').getAll(),
    await tx.objectStore('loose').getAll(),
  ]);
  expect(JSON.stringify(records)).not.toContain('secret');
  db.close();
});
