/** Restores a copy of the database, by copying files or by our commands, while the server is stopped. */

import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, MongoClient } from 'mongodb';
import { EPHEMERAL } from '../../server/store/mongo/base/collections.ts';
import { operate } from './operator.ts';

/** The database of a stopped server. */
export interface StoppedDatabase {
  copy(): Promise<Copy>;
}

/** A copy that can replace the current data. */
export interface Copy {
  putBack(): Promise<void>;
  /** Restores with `npm run restore`. */
  restore(): Promise<void>;
}

/** The database in this folder (SQLite) or at this connection string (MongoDB). */
export function databaseIn(folder: string, mongoUrl: string | undefined): StoppedDatabase {
  return mongoUrl === undefined ? sqliteIn(folder) : mongoAt(mongoUrl);
}

function sqliteIn(folder: string): StoppedDatabase {
  const copies = join(folder, 'copy');
  const backup = join(copies, 'backup.db');
  const files = async (of: string) => (await readdir(of)).filter((name) => name.startsWith('holdfast.db'));
  return {
    async copy() {
      await mkdir(copies);
      for (const name of await files(folder)) await copyFile(join(folder, name), join(copies, name));
      await done(operate('backup', [backup], { data: folder }));
      return {
        async putBack() {
          for (const name of await files(folder)) await rm(join(folder, name));
          for (const name of await files(copies)) await copyFile(join(copies, name), join(folder, name));
        },
        restore: () => done(operate('restore', [backup], { data: folder })),
      };
    },
  };
}

/** Copies documents as mongodump and mongorestore do. */
function mongoAt(mongoUrl: string): StoppedDatabase {
  return {
    async copy() {
      await using client = new MongoClient(mongoUrl);
      const copied = new Map<string, Document[]>();
      for (const name of await namesIn(client))
        copied.set(name, await client.db().collection(name).find().toArray());
      const putBack = async () => {
        await using again = new MongoClient(mongoUrl);
        for (const name of await namesIn(again)) {
          const collection = again.db().collection(name);
          await collection.deleteMany({});
          const documents = copied.get(name) ?? [];
          if (documents.length > 0) await collection.insertMany(documents);
        }
      };
      return {
        putBack,
        async restore() {
          await putBack();
          await done(operate('restore', [], { mongoUrl }));
        },
      };
    },
  };
}

async function done(operated: ReturnType<typeof operate>): Promise<void> {
  const { code, output } = await operated;
  if (code !== 0) throw new Error(output);
}

async function namesIn(client: MongoClient): Promise<string[]> {
  const all = await client.db().listCollections({}, { nameOnly: true }).toArray();
  return all.map(({ name }) => name).filter((name) => name !== EPHEMERAL && !name.startsWith('system.'));
}
