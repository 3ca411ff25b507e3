/** `npm run keeper -- NAME`, as an operator calls it, while the server runs. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signUp } from '../../support/api.ts';
import { startMongo } from '../../support/mongo/index.ts';
import { startServer } from '../../support/serverProcess.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { run } from '../../support/tools.ts';
import { waitFor } from '../../support/waitFor.ts';

const keeper = (env: Record<string, string>, ...words: string[]) =>
  run(process.execPath, ['server/keeper/main.ts', ...words], { env });

async function roleOf(url: string, token: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/api/session`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { role?: string }).role;
}

test.each(['sqlite', 'mongo'])('makes a user a keeper while the server runs, on %s', async (store) => {
  await using folder = await temporaryFolder();
  await using mongo = store === 'mongo' ? await startMongo() : undefined;
  const env: Record<string, string> = mongo
    ? { MONGODB_URL: mongo.anotherUrl() }
    : { DATA: join(folder.path, 'data') };
  await using server = await startServer({ env, data: join(folder.path, 'data') });
  const ada = await signUp(server.url, 'Ada');
  const mika = await signUp(server.url, 'Mika Müller');
  expect(await roleOf(server.url, ada.token)).toBe('first');
  const made = await keeper(env, 'mika', 'MÜLLER');
  expect([made.code, made.output.trim()]).toEqual([
    0,
    expect.stringMatching(/^Mika Müller is a keeper now\./),
  ]);
  await waitFor('the role', async () => (await roleOf(server.url, mika.token)) === 'keeper');
  expect(await roleOf(server.url, ada.token)).toBeUndefined();
  const nobody = await keeper(env, randomUUID());
  expect([nobody.code, nobody.output]).toEqual([78, expect.stringContaining('Nobody is called')]);
});

test('invalid input: one sentence that says what to do', async () => {
  await using folder = await temporaryFolder();
  expect(await keeper({ DATA: folder.path })).toMatchObject({ code: 64 });
  const none = await keeper({ DATA: join(folder.path, 'none') }, 'Ada');
  expect([none.code, none.output]).toEqual([78, expect.stringMatching(/There is no database .*set DATA/)]);
});
