/** A drain with a database, a fake clock, and a network that the test controls. */
import 'fake-indexeddb/auto';
import type { Acknowledgement, Item } from '../../../shared/protocol/index.ts';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { createDrain, type DrainDeps } from '../../../web/outbox/drain.ts';
import { createLock } from '../../../web/outbox/drainLock.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { ROOM } from './support.ts';

type Answered = (answer: Acknowledgement<'append'> | undefined) => void;

export function start(changes: Partial<DrainDeps> = {}) {
  const clock = createFakeClock();
  const me = mint();
  const real = openUserDatabase(new IDBFactory(), clock, me);
  /** While set, results of the database are not delivered: the page is frozen. */
  let writing = 0;
  let still: Promise<void> | undefined;
  const db: UserDatabase = {
    ...real,
    async write(stores, work) {
      writing++;
      const done = await real.write(stores, work).finally(() => writing--);
      await still;
      return done;
    },
  };
  const appends: { items: Item[]; answered: Answered }[] = [];
  let suspected = 0;
  const drain = createDrain({
    db,
    me,
    clock,
    random: () => 0.5,
    newKey: mint,
    fenceToken: mint(),
    lock: createLock(undefined, 'drain', { clock, stuckMs: 10_000 }),
    storage: { failed: () => {}, worked: () => {} },
    lockHeartbeat: () => {},
    placed: () => {},
    hearsOfRows: true,
    echo: () => undefined,
    append: (items, answered) => void appends.push({ items, answered }),
    uploading: () => {},
    suspect: () => void suspected++,
    stopped: () => {},
    changed: () => {},
    ...changes,
  });
  const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
  const queue = (body: string) =>
    enqueue(db, { kind: 'text', body, room: ROOM, clientOffset: mint(), at: 1 });
  /** Freezes the page until the returned function is called. */
  const stand = () => {
    let goOn = () => {};
    still = new Promise((resolve) => {
      goOn = () => {
        still = undefined;
        resolve();
      };
    });
    return goOn;
  };
  return {
    writing: () => writing,
    clock,
    db: real,
    drain,
    appends,
    rows,
    queue,
    stand,
    suspected: () => suspected,
  };
}

export const accepted = (items: Item[]): Acknowledgement<'append'> => ({
  ok: true,
  epoch: mint(),
  results: items.map(({ clientOffset }, i) => ({ clientOffset, serverOffset: i + 1, at: 9 })),
});
