/** An empty database on a server that the tests of one file share. */
import { type Collection, MongoClient } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import type { EntryDocument } from '../../../../server/store/mongo/append/commands.ts';
import { type MongoStore, openMongo } from '../../../../server/store/mongo/index.ts';
import type { EntryKey, NewEntry, Store } from '../../../../server/store/port.ts';
import type { SharedHarness } from '../../../contract/support.ts';
import { type MongoServer, type StartOptions, startMongo } from '../../../support/mongo/index.ts';

export const silent = pino({ level: 'silent' });

/** The server of this file: started before its tests, stopped after them. */
export function mongoOfFile(options?: StartOptions): { readonly server: MongoServer } {
  let server: MongoServer | undefined;
  beforeAll(async () => {
    server = await startMongo(options);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  return {
    get server() {
      return server!;
    },
  };
}

export interface MongoHarness extends SharedHarness {
  readonly store: MongoStore;
  readonly url: string;
  readonly entries: Collection<EntryDocument>;
}

/** `load` writes into the empty database before it is opened. */
export async function mongoHarness(
  server: MongoServer,
  load: (url: string) => Promise<unknown> = async () => {},
): Promise<MongoHarness> {
  const url = server.anotherUrl();
  await load(url);
  const open = () => openMongo({ url, log: silent });
  let store = await open();
  const others: Store[] = [];
  const client = await new MongoClient(url).connect();
  const entries = client.db().collection<EntryDocument>('entries');
  return {
    url,
    entries,
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = await open();
    },
    async another() {
      const other = await open();
      others.push(other);
      return other;
    },
    poisoned: (key: EntryKey): NewEntry => ({ ...key, kind: 'text', digest: 'of a text without a body' }),
    async interrupted({ target, targetAuthor, ...item }, at) {
      const { room, author } = item;
      const [newest] = await entries.find({ room }).sort({ serverOffset: -1 }).limit(1).toArray();
      const text =
        target === undefined
          ? null
          : await entries.findOne({ room, author: targetAuthor ?? author, clientOffset: target });
      const serverOffset = (newest?.serverOffset ?? 0) + 1;
      const amends = text ? { target: text.serverOffset } : {};
      await entries.insertOne({ ...item, ...amends, at, serverOffset, pending: true });
      return serverOffset;
    },
    unfinished: (room) => entries.countDocuments({ room, pending: true }),
    stored: async (room) => JSON.stringify(await entries.find({ room }).toArray()),
    // the next `aggregate` is the opening of a change stream
    forgetHistory: () => server.failPoint({ failCommands: ['aggregate'], errorCode: 286 }, { times: 1 }),
    async destroy() {
      await Promise.all([store, ...others].map((one) => one.close()));
      await client.db().dropDatabase();
      await client.close();
    },
  };
}
