/** `npm run migrate`: a SQLite database that is in use moves to a MongoDB, and nothing is lost, doubled or changed. */
// @module-tag slow
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Db, MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { moveDatabase } from '../../../server/migrate/moveDatabase.ts';
import { openMongo } from '../../../server/store/mongo/index.ts';
import { openMoveDestination } from '../../../server/store/mongo/moveDestination.ts';
import { MOVED_PARTS, type MoveDestination, type MovedPart } from '../../../server/store/move.ts';
import { Unavailable } from '../../../server/store/port.ts';
import { backUp } from '../../../server/store/sqlite/backup.ts';
import { openSqlite } from '../../../server/store/sqlite/index.ts';
import { MOVED_COLUMNS, openMoveSource } from '../../../server/store/sqlite/moveSource.ts';
import { restore } from '../../../server/store/sqlite/restore.ts';
import type { Entry } from '../../../shared/entry.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { newId, text, wholeLog } from '../../contract/support.ts';
import { connectClient, signUp, text as textItem } from '../../support/api.ts';
import { startApp } from '../../support/app.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';
import { mongoOfFile, silent } from '../store/mongo/harness.ts';
import { answerOfScript } from '../store/sqlite/harness.ts';
import { createWorld } from './everything.ts';

const mongo = mongoOfFile();

/** Some seconds; on a busy machine, with its disk busy, many times that. */
const LONG_MS = 90_000;

const INTERRUPTED = 11_601;
const UNAUTHORIZED = 13;

/** Called between the steps of a move. */
type OnStep = (step: string) => Promise<void> | void;

/** A store on SQLite, as a server has it open, and a MongoDB that is empty. */
async function database() {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'holdfast.db');
  const moved = Promise.withResolvers<Error>();
  const open = () => openSqlite({ file, log: silent, onMoved: moved.resolve });
  const store = await open();
  const url = mongo.server.anotherUrl();
  return {
    folder: folder.path,
    file,
    url,
    store,
    /** Resolves when the store has noticed. */
    moved: moved.promise,
    move: (onStep?: OnStep) => move(file, url, onStep),
    open,
    async [Symbol.asyncDispose]() {
      await store.close();
      await folder.remove();
    },
  };
}

async function move(
  file: string,
  url: string,
  onStep: OnStep = () => {},
  wrap: (destination: MoveDestination) => MoveDestination = (destination) => destination,
  limits: { lastPartWithinMs?: number } = {},
) {
  const source = await openMoveSource(file);
  try {
    return await moveDatabase({
      source,
      openDestination: async (its) =>
        wrap(await openMoveDestination({ url, log: silent, epoch: source.epoch, ...its })),
      onProgress: () => {},
      onStep,
      ...limits,
    });
  } finally {
    source.close();
  }
}

/** The steps in which much is written; from the last part on nothing can be. */
const CHANGES = [
  'begun',
  'some entries copied',
  'log copied',
  'some rows copied',
  'rows copied',
  'changes applied',
  'compared',
  'before the last part',
];
const LAST = ['in the last part', 'marked', 'complete'];

test('L1 L3 after a move of a database in use, killed at every step and called again, all that the port can read is the same, and it goes on', {
  timeout: LONG_MS,
}, async () => {
  await using db = await database();
  const world = createWorld(db.store);
  await world.change();
  const deaths: string[] = [];
  let outcome: Awaited<ReturnType<typeof move>> | undefined;
  while (!outcome) {
    const onStep = async (step: string) => {
      if (deaths.includes(step)) return;
      deaths.push(step);
      if (CHANGES.includes(step)) await world.change();
      throw new Error(`died: ${step}`);
    };
    outcome = await db.move(onStep).catch((error: Error) => {
      if (!error.message.startsWith('died')) throw error;
      return undefined;
    });
  }
  expect(deaths).toEqual(expect.arrayContaining([...CHANGES, ...LAST]));
  expect(outcome.entries).toBe(world.items.length);
  const here = await world.picture(db.store); // reads are answered until the server has ended
  await using there = await openMongo({ url: db.url, log: silent }).then((store) => ({
    store,
    [Symbol.asyncDispose]: store.close,
  }));
  expect(await world.picture(there.store)).toEqual(here);
  const again = await there.store.log.append(world.items.slice(-5), Date.now());
  expect(again.results.map(({ tag }) => tag)).toEqual(Array.from({ length: 5 }, () => 'repeat'));
  await world.continueOn(there.store);
});

test('L4 what is acknowledged during a move is in the copy; from the last part on writes are unavailable, and the store says that it was moved', {
  timeout: LONG_MS,
}, async () => {
  await using db = await database();
  const author = newId();
  const acknowledged: string[] = [];
  let refused = 0;
  let isOver = false;
  const writing = (async () => {
    for (let i = 0; !isOver; i++) {
      const item = text(LOBBY, author, `text ${i}`);
      const { results, stopped } = await db.store.log.append([item], 1_000 + i);
      if (results[0]?.tag === 'appended') acknowledged.push(item.body!);
      if (stopped) refused++;
      await pause(1); // faster than a chat, and slower than the copying, which would never end otherwise
      expect(results[0]?.tag ?? stopped?.constructor).toBe(results[0] ? 'appended' : Unavailable);
    }
  })();
  const moving = db.move(async (step) => {
    // the database fails for a moment, and the move goes on
    if (step === 'begun')
      await mongo.server.failPoint({ failCommands: ['insert'], errorCode: INTERRUPTED }, { times: 3 });
    if (step === 'log copied' || step === 'compared') {
      const before = acknowledged.length;
      await waitFor('more is written', () => acknowledged.length > before + 30);
    }
  });
  const { pausedMs } = await moving.catch((error: unknown) => {
    isOver = true;
    throw error;
  });
  expect(pausedMs).toBeGreaterThan(0);
  const { message } = await db.moved;
  isOver = true;
  await writing;
  expect(message).toMatch(/ was moved to mongodb:\/\/\S+: set MONGODB_URL/);
  expect(refused).toBeGreaterThan(0);
  await expect(db.store.rooms.mark([{ room: LOBBY, user: author, upTo: 1 }])).rejects.toThrow(Unavailable);
  expect(await db.store.rooms.readUpTo(author, [LOBBY])).toEqual([0]);
  const there = await openMongo({ url: db.url, log: silent });
  const log = await wholeLog(there, LOBBY);
  await there.close();
  expect(log.map(bodyOf)).toEqual(acknowledged);
});

test('a read marker that is acknowledged while the file is moved is in it, also where the last part begins at once', async () => {
  await using folder = await temporaryFolder();
  await using app = await startApp({ data: folder.path });
  using ada = await connectClient(app.url, await signUp(app.url, 'Ada'));
  for (let nth = 0; nth < 3; nth++) await ada.append(textItem(`text ${nth}`));
  const source = await openMoveSource(join(folder.path, 'holdfast.db'));
  try {
    source.begin('a place');
    await waitFor('the server has noticed', () => app.store.isMoving?.());
    for (const upTo of [2, 3, 4]) {
      expect(await ada.request('read', { room: LOBBY, upTo })).toMatchObject({ ok: true });
      const [mark] = source.rowsAt('marks', [[LOBBY, ada.session.user.id]]);
      expect(mark).toMatchObject({ upTo });
    }
    source.cancel();
    await waitFor('the server has noticed', () => app.store.isMoving?.() === false);
  } finally {
    source.close();
  }
});

test('L4 where a move is killed in its last part, the server writes again within seconds, and the next one ends', {
  timeout: LONG_MS,
}, async () => {
  await using db = await database();
  const author = newId();
  const write = async (body: string) => (await db.store.log.append([text(LOBBY, author, body)], 1)).stopped;
  await write('before');
  const [said, child] = await answerOfScript(
    fileURLToPath(new URL('./child.ts', import.meta.url)),
    db.file,
    db.url,
    'in the last part',
  );
  expect(said).toBe('in the last part');
  expect(await write('refused')).toBeInstanceOf(Unavailable);
  await expect(move(db.file, db.url)).rejects.toThrow(/Another process is moving/);
  const killedAt = performance.now();
  child.kill('SIGKILL');
  await waitFor('it writes', async () => (await write('after')) === undefined);
  expect(performance.now() - killedAt).toBeLessThan(5_000);
  await expect(openMongo({ url: db.url, log: silent })).rejects.toThrow(
    /is being filled by `npm run migrate`/,
  );
  await db.move();
  const there = await openMongo({ url: db.url, log: silent });
  expect((await wholeLog(there, LOBBY)).map(bodyOf)).toEqual(['before', 'after']);
  await there.close();
});

test('a copy that differs in anything is refused: counts and digests find it, and the file stays in use', {
  timeout: LONG_MS,
}, async () => {
  await using db = await database();
  const world = createWorld(db.store);
  await world.change();
  const aText = { kind: 'text', body: { $exists: true } };
  const tampering: [RegExp, (there: Db) => Promise<unknown> | unknown][] = [
    [
      /the log of the room/,
      (there) => there.collection('entries').updateOne(aText, { $set: { body: 'forged' } }),
    ],
    [
      /the log of the room/,
      (there) => there.collection('entries').updateOne(aText, { $set: { digest: 'x' } }),
    ],
    [/\d+ of \d+ entries/, (there) => there.collection('entries').deleteOne({ serverOffset: 2 })],
    [/the members/, (there) => there.collection('members').updateOne({}, { $set: { serverOffset: 99 } })],
    [/\d+ of \d+ signedOut/, (there) => there.collection('devices').deleteOne({ removedAt: { $gt: 0 } })],
    // a change that was not recorded, as by a bug of this program
    [/the presence/, () => unrecorded(db.file)],
  ];
  for (const [says, tamper] of tampering) {
    const url = mongo.server.anotherUrl();
    await using client = new MongoClient(url);
    const moving = move(db.file, url, async (step) => {
      if (step === 'rows copied') await tamper(client.db());
    });
    await expect(moving).rejects.toThrow(says);
    await expect(moving).rejects.toThrow(/drop that database, and call this again/);
    await db.store.rooms.mark([{ room: LOBBY, user: newId(), upTo: 1 }]); // it can be written to
  }
  // and so is the last part, of which only what has changed is compared
  const broken: ((there: MoveDestination) => Partial<MoveDestination>)[] = [
    ({ insertEntries }) => ({ insertEntries: (entries) => insertEntries(entries.slice(1)) }),
    () => ({ replaceEntries: async () => {} }),
    ({ insertRows }) => ({ insertRows: (part, rows) => insertRows(part, rows.slice(1)) }),
    () => ({ deleteRows: async () => {} }),
  ];
  for (const breaks of broken) {
    const url = mongo.server.anotherUrl();
    const { onStep, wrap } = lastPart(world.change, breaks);
    await expect(move(db.file, url, onStep, wrap)).rejects.toThrow(/differs from .* in the /);
  }
});

test('L4 what fails in the last part is reported as it is, and the file stays in use', {
  timeout: LONG_MS,
}, async () => {
  await using db = await database();
  const bug = new TypeError('a bug of ours');
  const { onStep, wrap } = lastPart(
    () => addMarks(db.file, 1),
    () => ({ insertRows: () => Promise.reject(bug) }),
  );
  await expect(move(db.file, db.url, onStep, wrap)).rejects.toBe(bug);
  const refuses = async (step: string) => {
    if (step !== 'before the last part') return;
    addMarks(db.file, 1);
    await mongo.server.failPoint({ failCommands: ['delete'], errorCode: UNAUTHORIZED }, { times: 1 });
  };
  await expect(db.move(refuses)).rejects.toThrow(/serves only its users|may not use the database/);
  expect((await db.store.log.append([text(LOBBY, newId(), 'hello')], 1)).stopped).toBe(undefined);
  await db.move();
});

test('L4 a last part that takes too long is given up, also where the event loop is busy: the server writes again, nothing of the last part goes on, and the next move ends', {
  timeout: LONG_MS,
}, async () => {
  await using db = await database();
  const isBusy = async () => {
    for (const until = performance.now() + 60; performance.now() < until; );
  };
  for (const waits of [false, true]) {
    const closed = Promise.withResolvers<void>();
    const { onStep, wrap, calls } = lastPart(
      () => addMarks(db.file, 1_500),
      ({ close }) => ({
        deleteRows: waits ? () => closed.promise : isBusy,
        insertRows: isBusy,
        save: async () => {},
        async close() {
          closed.resolve();
          for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate); // time to go on
          await close();
        },
      }),
    );
    const moving = move(db.file, db.url, onStep, wrap, { lastPartWithinMs: 100 });
    await expect(moving).rejects.toThrow(/was too slow for the last part, so nothing has moved/);
    expect(calls.at(-1)).toBe('close');
    expect(calls).not.toContain('insertRows'); // all are deleted first
    expect((await db.store.log.append([text(LOBBY, newId(), 'hello')], 1)).stopped).toBe(undefined);
  }
  expect(await db.move()).toMatchObject({ entries: 2 });
});

test('a destination that is closed repeats nothing', async () => {
  const url = mongo.server.anotherUrl();
  const its = { epoch: 'epoch', state: () => undefined, begin: () => 'run', resume: () => {} };
  const there = await openMoveDestination({ url, log: silent, ...its });
  await there.close();
  const before = performance.now();
  await expect(there.insertRows('marks', [{ room: LOBBY, user: 'me', upTo: 1 }])).rejects.toThrow();
  expect(performance.now() - before).toBeLessThan(5_000);
});

test('a name that passes from one to another is moved, also where many changes lie between', async () => {
  await using db = await database();
  const [ada, bob] = [newId(), newId()];
  for (const [id, name] of [
    [ada, 'ada'],
    [bob, 'bob'],
  ] as const) {
    const user = { id, name, nameKey: name, passwordHash: 'hash', createdAt: 1 };
    const device = { id: newId(), user: id, tokenHash: newId(), claimHash: newId(), createdAt: 1 };
    await db.store.users.create(user, device);
  }
  await db.move(async (step) => {
    if (step !== 'rows copied') return;
    await db.store.users.rename(bob, 'carl', 'carl');
    await db.store.users.rename(ada, 'bob', 'bob');
    addMarks(db.file, 1_500);
    await db.store.users.rename(bob, 'dora', 'dora'); // the last change of this row
  });
  const there = await openMongo({ url: db.url, log: silent });
  expect([await there.users.byNameKey('bob'), await there.users.byNameKey('dora')]).toMatchObject([
    { id: ada },
    { id: bob },
  ]);
  await there.close();
});

test('nothing is overwritten, and what is half filled belongs to one run', async () => {
  await using db = await database();
  const used = await openMongo({ url: db.url, log: silent });
  await used.close();
  await expect(db.move()).rejects.toThrow(/is not empty, and nothing is overwritten/);
  const url = mongo.server.anotherUrl();
  await using client = new MongoClient(url);
  await client.db().collection('others').insertOne({});
  await expect(move(db.file, url)).rejects.toThrow(/belongs to another application/);
  await client.db().dropDatabase();
  const dies = () => {
    throw new Error('died');
  };
  await expect(move(db.file, url, dies)).rejects.toThrow('died');
  await using another = await database();
  await expect(move(another.file, url)).rejects.toThrow(/half filled from another file/);
  const source = await openMoveSource(db.file);
  source.cancel();
  source.close();
  expect(onFile(db.file, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")).toEqual([]);
  await expect(move(db.file, url)).rejects.toThrow(/a run that was given up/);
  await client.db().dropDatabase();
  await move(db.file, url);
});

test('a half-finished move goes on in the same database, however its address is written, and outlives a wrong address', {
  timeout: LONG_MS,
}, async () => {
  await using db = await database();
  await db.store.log.append([text(LOBBY, newId(), 'hello')], 1);
  const diesAt = (last: string) => (step: string) => {
    if (step === last) throw new Error(`died: ${step}`);
  };
  await expect(db.move(diesAt('rows copied'))).rejects.toThrow('died');
  await using another = await database();
  await expect(another.move(diesAt('rows copied'))).rejects.toThrow('died');
  await expect(move(db.file, another.url)).rejects.toThrow(/half filled from another file/);
  const respelled = new URL(db.url);
  respelled.hostname = 'localhost';
  respelled.searchParams.delete('replicaSet');
  const steps: string[] = [];
  const marks = (step: string) => {
    steps.push(step);
    diesAt('marked')(step);
  };
  await expect(move(db.file, respelled.href, marks)).rejects.toThrow('died');
  expect(steps).not.toContain('some entries copied');
  expect(steps).not.toContain('some rows copied');
  expect(onFile(db.file, 'SELECT place FROM move')).toEqual([
    { place: expect.stringMatching(/^mongodb:\/\/localhost:\d+\/[^?]+$/) },
  ]);
  expect(await db.move()).toMatchObject({ entries: 1 }); // after the mark, too
  await another.move();
});

test('a file that was moved is opened by nothing but a backup, which npm run restore makes an ordinary one', async () => {
  await using db = await database();
  const author = newId();
  await db.store.log.append([text(LOBBY, author, 'hello')], 1);
  await db.move();
  await db.store.close();
  await expect(db.open()).rejects.toThrow(/was moved to mongodb:\/\/.*: set MONGODB_URL to that address/);
  expect(() => onFile(db.file, "INSERT INTO keepers VALUES ('me', 1)")).toThrow('this database was moved');
  await expect(move(db.file, mongo.server.anotherUrl())).rejects.toThrow(
    /was moved to mongodb:.* before: name that address/,
  );
  const source = await openMoveSource(db.file);
  expect(() => source.cancel()).toThrow(/was moved to/);
  source.close();
  const copy = join(db.folder, 'copy.db');
  await backUp(db.file, copy);
  await restore(copy, db.file, new Date());
  const back = await db.open();
  expect(back.epoch).not.toBe(db.store.epoch);
  expect((await back.log.append([text(LOBBY, author, 'again')], 2)).results).toMatchObject([
    { serverOffset: 2 },
  ]);
  await back.close();
});

test('every table and column of the file is moved, or follows from others', async () => {
  await using db = await database();
  const tables = onFile(
    db.file,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
  );
  const names = tables.map(({ name }) => String(name));
  expect(names.toSorted()).toEqual([...MOVED_PARTS, ...OTHER_TABLES].toSorted());
  for (const part of MOVED_PARTS) {
    const columns = onFile(db.file, `PRAGMA table_info(${part})`).map(({ name }) => String(name));
    const expected = [...MOVED_COLUMNS[part], ...(OTHER_COLUMNS[part] ?? [])];
    expect(columns.toSorted(), part).toEqual(expected.toSorted());
  }
});

/** `mentions` follows from the entries. */
const OTHER_TABLES = ['meta', 'entries', 'invitationUses', 'mentions', 'move', 'changedRows'];
/** `head` and `members` follow from others, `roleSeq` moves with the first entry, and `claimHash` only of the newest. */
const OTHER_COLUMNS: { [Part in MovedPart]?: string[] } = {
  rooms: ['head', 'members', 'roleSeq'],
  devices: ['claimHash'],
};

/** In the last part, after `change`, the destination does what `breaks` returns instead. `calls`: which of it was called. */
function lastPart(
  change: () => Promise<unknown> | unknown,
  breaks: (there: MoveDestination) => Partial<MoveDestination>,
) {
  const called: string[] = [];
  let isLast = false;
  return {
    calls: called,
    async onStep(step: string): Promise<void> {
      if (step !== 'before the last part') return;
      isLast = true;
      await change();
    },
    wrap(there: MoveDestination): MoveDestination {
      const its = breaks(there);
      const names = Object.keys(its) as (keyof MoveDestination)[];
      const calls = names.map((name) => [
        name,
        (...args: never[]) => {
          if (isLast) called.push(name);
          return ((isLast ? its : there)[name] as (...args: never[]) => unknown)(...args);
        },
      ]);
      return { ...there, ...Object.fromEntries(calls) };
    },
  };
}

/** Marks of other users each time. */
function addMarks(file: string, count: number): void {
  onFile(
    file,
    `INSERT INTO marks (room, user, upTo)
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
      SELECT '${LOBBY}', '${newId()}' || n, 1 FROM numbers`,
  );
}

function unrecorded(file: string): void {
  const sql =
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%AFTER UPDATE ON presence %'";
  const [trigger] = onFile(file, sql);
  onFile(file, `DROP TRIGGER "${trigger!.name}"; UPDATE presence SET seenAt = seenAt + 1`);
}

const bodyOf = (entry: Entry) => (entry as { body?: string }).body;

function onFile(file: string, sql: string): Record<string, unknown>[] {
  using db = new DatabaseSync(file, { timeout: 5_000 });
  if (/^(SELECT|PRAGMA)/.test(sql)) return db.prepare(sql).all();
  db.exec(sql);
  return [];
}
