/**
 * Version 0.1 as fixtures (made by test/fixtures/mongo-0.1/make.ts): a database that it wrote, and its store, to run as a
 * process beside one of the present version.
 */

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  BSON,
  type CreateCollectionOptions,
  type Document,
  type IndexDescription,
  MongoClient,
} from 'mongodb';
import type { RecordedItem } from '../../fixtures/recording.ts';
import { temporaryFolder } from '../tmp.ts';
import { ROOT } from '../tools.ts';

export interface Version01Database {
  /** Their devices' tokens are `token of NAME`, the claims `claim of NAME`; Ada has a password. */
  users: { id: string; name: string; nameKey: string }[];
  /** Members: Ada and Bob of `deck` (the `join` of Cyd is pending), Bob of `hold`; all were in the lobby, and Cyd left. */
  rooms: { deck: string; hold: string };
  /** All appended entries, in the order of each room's log. */
  said: { item: RecordedItem; result: { tag: string; serverOffset: number; at: number } }[];
  collections: {
    name: string;
    options: CreateCollectionOptions;
    indexes: Document[];
    documents: Document[];
  }[];
}

const FIXTURES = join(ROOT, 'test/fixtures/mongo-0.1');

/** Writes it into an empty database. */
export async function loadVersion01(url: string): Promise<Version01Database> {
  const saved = BSON.EJSON.parse(await unzipped('database.json.gz')) as Version01Database;
  await using client = await new MongoClient(url).connect();
  const db = client.db();
  for (const { name, options, indexes, documents } of saved.collections) {
    const collection = await db.createCollection(name, options);
    if (indexes.length > 0) await collection.createIndexes(indexes as IndexDescription[]);
    if (documents.length > 0) await collection.insertMany(documents);
  }
  return saved;
}

export interface Version01Store {
  /** Path of a file of version 0.1 within the project. */
  path(file: string): string;
  remove(): Promise<void>;
}

/** With the present packages, whose versions are the same as then. */
export async function unpackVersion01(): Promise<Version01Store> {
  const { path: folder, remove } = await temporaryFolder();
  const sources = JSON.parse(await unzipped('store.json.gz')) as Record<string, string>;
  for (const [file, text] of Object.entries(sources)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { path: (file) => join(folder, file), remove };
}

async function unzipped(name: string): Promise<string> {
  return gunzipSync(await readFile(join(FIXTURES, name))).toString();
}
