/** Both adapters give the same results for any batch, and make the same log of it. */
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendToRoom } from '../../../../../server/store/mongo/append/appendToRoom.ts';
import type {
  Command,
  EntryDocument,
  InsertReply,
  Reply,
  RoomHead,
} from '../../../../../server/store/mongo/append/commands.ts';
import type { AppendResult, NewEntry } from '../../../../../server/store/port.ts';
import { appendOn } from '../../../../../server/store/sqlite/append.ts';
import { migrate } from '../../../../../server/store/sqlite/tables.ts';
import { isMessage, ruleOf } from '../../../../../shared/kinds.ts';
import { type Random, seeded } from '../../../../support/random.ts';
import { seedsOf } from '../../../../support/runs.ts';
import { useProductKinds, useTestKinds } from '../../../../support/testKinds.ts';
import { found as originalOf, ROOM } from './converse.ts';

beforeAll(useTestKinds);
afterAll(useProductKinds);

it('L1 L3 L5 any batches of any kinds of items get the same results as on SQLite, and make the same log', () => {
  for (const seed of seedsOf('batches on both stores')) {
    const random = seeded(seed);
    const [sqlite, replicaSet] = [onSqlite(), onReplicaSet()];
    for (let batch = 1; batch <= 6; batch++) {
      const items = Array.from({ length: random.int(1, 8) }, () => anyItem(random));
      const results = replicaSet.append(items, batch);
      expect({ seed, items, results }).toEqual({ seed, items, results: sqlite.append(items, batch) });
    }
    expect(replicaSet.log()).toEqual(sqlite.log());
  }
});

type Appends = { append(items: NewEntry[], at: number): unknown[]; log(): object[] };

function onSqlite(): Appends {
  const db = new DatabaseSync(':memory:');
  migrate(db, 0, { epoch: 'epoch', at: 0 });
  db.exec(`INSERT INTO rooms (id, kind, name, createdBy, createdAt) VALUES ('${ROOM}', 'public', '', '', 0)`);
  const append = appendOn(db);
  const entries = db.prepare(
    `SELECT serverOffset, author, clientOffset, at, kind, target, subject, content, digest
     FROM entries ORDER BY serverOffset`,
  );
  return {
    append: (items, at) => append(items, at).results.map(plain),
    log: () => entries.all().map((row) => ({ ...row })),
  };
}

/** A replica set without faults. */
function onReplicaSet(): Appends {
  const log: EntryDocument[] = [];
  let knownHead: RoomHead | undefined;

  function append(items: NewEntry[], at: number) {
    const request = { room: ROOM, exists: true, items, at, knownHead };
    const steps = appendToRoom(request);
    let step = steps.next();
    while (!step.done) step = steps.next(reply(step.value));
    knownHead = step.value.head;
    return step.value.results.map(plain);
  }

  function reply(command: Command): Reply {
    switch (command.do) {
      case 'insert':
        return insert(command.documents);
      case 'find':
        return command.keys.map((key) => {
          const entry = log.find((other) => isSame(other, key));
          return entry && originalOf(entry, entry.serverOffset, { at: entry.at });
        });
      case 'targets':
        return command.keys.map((key) => {
          const message = log.find((other) => isMessage(other) && isSame(other, key));
          const removals = log.filter(
            ({ kind, target }) => ruleOf(kind)?.effect === 'remove' && target === message?.serverOffset,
          );
          return message && { serverOffset: message.serverOffset, deleted: removals.length > 0 };
        });
      default:
        return { serverOffset: log.length, at: log.at(-1)?.at ?? 0 };
    }
  }

  function insert(documents: readonly EntryDocument[]): InsertReply {
    for (const [inserted, document] of documents.entries()) {
      if (document.digest === null) return { tag: 'refused', inserted, message: '' };
      if (log.some((other) => isSame(other, document)))
        return { tag: 'duplicate', inserted, of: 'clientOffset' };
      expect(document.serverOffset).toBe(log.length + 1);
      log.push(document);
    }
    return { tag: 'inserted' };
  }

  return {
    append,
    log: () =>
      log.map((document) => {
        const { serverOffset, author, clientOffset, at, kind, digest } = document;
        const { target = null, subject = null } = document;
        const isRemoved = log.some(
          (other) => ruleOf(other.kind)?.effect === 'remove' && other.target === serverOffset,
        );
        const content =
          document.content === undefined || (isRemoved && isMessage(document))
            ? null
            : JSON.stringify(document.content);
        return { serverOffset, author, clientOffset, at, kind, target, subject, content, digest };
      }),
  };
}

/** Few keys, so that items collide often. */
function anyItem(random: Random): NewEntry {
  const key = () => random.pick(['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9']);
  const kind = random.pick(KINDS);
  const body = random.pick(['one', 'one', 'other']);
  const author = random.pick(['ann', 'ann', 'bob']);
  const { target: names } = ruleOf(kind)!;
  const item = {
    room: ROOM,
    author,
    clientOffset: key(),
    kind,
    ...((kind === 'text' || kind === 'edit') && { body }),
    ...(names !== 'none' && { target: key() }),
    ...(names === 'any' && { targetAuthor: random.pick(['ann', 'bob']) }),
    ...(kind === 'test-removed' && { subject: 'cyd' }),
    ...((kind === 'test-message' || kind === 'test-reaction') && { content: { says: body } }),
  };
  const poisoned = random.int(0, 9) === 0;
  return {
    ...item,
    digest: poisoned ? (null as unknown as string) : JSON.stringify({ ...item, clientOffset: '' }),
  };
}

const KINDS = [
  ...(['text', 'text', 'text', 'edit', 'edit', 'delete', 'join', 'leave'] as const),
  ...(['test-message', 'test-reaction', 'test-erase', 'test-removed'] as const),
] as const;

function isSame(one: EntryDocument, other: { author: string; clientOffset: string }): boolean {
  return one.author === other.author && one.clientOffset === other.clientOffset;
}

function plain(result: AppendResult): object {
  return result.tag === 'failed' ? { tag: 'failed' } : { ...result };
}
