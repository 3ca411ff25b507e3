import { readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { connectClient, type SignedUp, signUp, text } from '../../support/api.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { temporaryFolder } from '../../support/tmp.ts';

export async function newFolder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  return path;
}

/** A server whose data survives it, and is removed after the test. */
export async function newServer(data: string): Promise<ServerProcess> {
  const server = await startServer({ data });
  onTestFinished(server.dispose);
  return server;
}

export async function say(url: string, author: SignedUp, ...bodies: string[]): Promise<void> {
  using client = await connectClient(url, author);
  const answer = await client.append(...bodies.map((body) => text(body)));
  if (!answer.ok || answer.results.some((result) => 'error' in result))
    throw new Error(`not taken: ${JSON.stringify(answer)}`);
}

/** Signs up a user and sends this text. */
export async function speaker(url: string, name: string, ...bodies: string[]): Promise<SignedUp> {
  const session = await signUp(url, name);
  await say(url, session, ...bodies);
  return session;
}

/** The files of a folder, without lock and marker files. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.db.lock') && !name.endsWith('.db.checked'))
    .sort();
}

export interface Content {
  epoch: string;
  names: string[];
  bodies: string[];
}

/** The content of a database file that no server has open; throws if it is damaged. */
export function contentOf(file: string): Content {
  using db = new DatabaseSync(file);
  const column = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]));
  const found = column('PRAGMA integrity_check');
  if (found.join() !== 'ok') throw new Error(found.join('\n'));
  const offsets = column('SELECT serverOffset FROM entries ORDER BY seq').map(Number);
  if (offsets.some((offset, i) => offset !== i + 1)) throw new Error(`a gap: ${offsets}`); // of the lobby only
  return {
    epoch: column('SELECT epoch FROM meta')[0]!,
    names: column('SELECT name FROM users ORDER BY name'),
    bodies: column(`SELECT body FROM entries WHERE kind = 'text' ORDER BY serverOffset`),
  };
}
