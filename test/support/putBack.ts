/** What an operator does who has a copy of the database and nothing of ours to put it back with. The server is stopped. */

import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Document, MongoClient } from 'mongodb';
import { EPHEMERAL, META_ID } from '../../server/store/mongo/schema.ts';
import { idFrom } from '../../shared/mint.ts';

/** A database that no server has open. */
export interface StoppedDatabase {
  copy(): Promise<Copy>;
  /** What a restore that is said to be one does besides. */
  renewEpoch(): Promise<void>;
}

export interface Copy {
  /** In place of all that is there. */
  putBack(): Promise<void>;
}

/** In this folder (SQLite), or at this connection string (MongoDB). */
export function databaseIn(folder: string, mongoUrl: string | undefined): StoppedDatabase {
  return mongoUrl === undefined ? sqliteIn(folder) : mongoAt(mongoUrl);
}

function sqliteIn(folder: string): StoppedDatabase {
  const copies = join(folder, 'copy');
  const files = async (of: string) => (await readdir(of)).filter((name) => name.startsWith('holdfast.db'));
  return {
    async copy() {
      await mkdir(copies);
      for (const name of await files(folder)) await copyFile(join(folder, name), join(copies, name));
      return {
        async putBack() {
          for (const name of await files(folder)) await rm(join(folder, name));
          for (const name of await files(copies)) await copyFile(join(copies, name), join(folder, name));
        },
      };
    },
    async renewEpoch() {
      using db = new DatabaseSync(join(folder, 'holdfast.db'));
      db.prepare('UPDATE meta SET epoch = ?').run(idFrom(randomBytes(16)));
    },
  };
}

function mongoAt(url: string): StoppedDatabase {
  return {
    async copy() {
      await using client = new MongoClient(url);
      const copied = new Map<string, Document[]>();
      for (const name of await namesIn(client))
        copied.set(name, await client.db().collection(name).find().toArray());
      return {
        async putBack() {
          await using again = new MongoClient(url);
          for (const name of await namesIn(again)) {
            const collection = again.db().collection(name);
            await collection.deleteMany({});
            const documents = copied.get(name) ?? [];
            if (documents.length > 0) await collection.insertMany(documents);
          }
        },
      };
    },
    async renewEpoch() {
      await using client = new MongoClient(url);
      const meta = client.db().collection<{ _id: string }>('meta');
      await meta.updateOne({ _id: META_ID }, { $set: { epoch: idFrom(randomBytes(16)) } });
    },
  };
}

async function namesIn(client: MongoClient): Promise<string[]> {
  const all = await client.db().listCollections({}, { nameOnly: true }).toArray();
  return all.map(({ name }) => name).filter((name) => name !== EPHEMERAL && !name.startsWith('system.'));
}
