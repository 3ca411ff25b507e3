/** A database with damage that the start does not notice: the server starts at once, and shuts down cleanly when the integrity check finds it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createLogger } from '../../server/base/logger.ts';
import { openSqlite } from '../../server/store/sqlite/index.ts';
import { newId, text, upTo } from '../contract/support.ts';
import { connectClient, text as said, signUp } from '../support/api.ts';
import { runServerToItsEnd, startServer } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/tmp.ts';

const EX_CONFIG = 78;
/** The same values as in server/app.ts. */
const SHUTDOWN_STEPS = 8;

test('L4 after kill -9, damage shuts down a running server cleanly, with an error message; acknowledged entries are kept', {
  timeout: 90_000,
}, async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'holdfast.db');
  await fill(file, 20_000);
  await using server = await startServer({ data: folder.path });
  using client = await connectClient(server.url, await signUp(server.url, 'Ada'));
  const answer = await client.append(said('taken before'));
  expect(answer).toMatchObject({ results: [{ serverOffset: expect.any(Number) }] });
  client.close();
  await server.kill9();
  damageInside(file);

  const first = await runServerToItsEnd({ DATA: folder.path, LOG_LEVEL: 'info' });
  const sentence = `The database ${file} is damaged: put a backup in its place, or move it away to begin with an empty one.`;
  expect(first.output).toContain('Holdfast: open http');
  expect(first.output).toContain(sentence);
  expect(first.output.split('shutdown step done')).toHaveLength(SHUTDOWN_STEPS + 1);
  expect(first.code).toBe(EX_CONFIG);

  const second = await runServerToItsEnd({ DATA: folder.path });
  expect([second.code, second.output.trim()]).toEqual([EX_CONFIG, sentence]); // at once: nothing more is taken
  using db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare('SELECT body FROM entries ORDER BY seq DESC LIMIT 1').get()).toEqual({
    body: 'taken before',
  });
});

/** Damages pages in the middle of the file, which the start does not read. */
function damageInside(file: string): void {
  const bytes = readFileSync(file);
  const middle = 4_096 * Math.floor(bytes.length / 2 / 4_096);
  writeFileSync(file, bytes.fill(0xa5, middle, middle + 40_960));
}

async function fill(file: string, texts: number): Promise<void> {
  const store = await openSqlite({ file, log: createLogger('warn') });
  const author = newId();
  for (let n = 0; n < texts; n += 1_000)
    await store.log.append(
      upTo(1_000).map((m) => text('lobby', author, `line ${n + m}`)),
      1,
    );
  await store.close();
}
