/** The server is killed with SIGKILL repeatedly while two users write. */
import { bodyOf, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { BOTH, bodies, expect, expectState, say, signUp, test } from './fixtures.ts';

const KILLS = 10;

test(
  'L1 O2 O3 the server is killed ten times while messages flow both ways: none is lost, duplicated or reordered, without a reload',
  BOTH,
  async ({ server, phone }) => {
    test.setTimeout(120_000);
    const ada = await phone(server.url);
    await signUp(ada, 'Ada');
    const bob = await phone(server.url);
    await signUp(bob, 'Bob');
    for (const page of [ada, bob]) await page.evaluate(() => Object.assign(window, { neverReloaded: true }));

    const said: Record<'Ada' | 'Bob', string[]> = { Ada: [], Bob: [] };
    const speak = async (name: 'Ada' | 'Bob') => {
      const body = `${name} ${said[name].length + 1}`;
      await say(name === 'Ada' ? ada : bob, body);
      said[name].push(body);
    };
    for (let kill = 0; kill < KILLS; kill++) {
      await Promise.all([speak('Ada'), speak('Bob')]);
      await Promise.all([server.kill9(), speak('Ada'), speak('Bob')]);
      await server.start();
    }
    await Promise.all([speak('Ada'), speak('Bob')]);

    for (const body of said.Ada) await expectState(ada, body, 'Sent');
    for (const body of said.Bob) await expectState(bob, body, 'Sent');
    const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
    expect(log.map((entry) => entry.serverOffset)).toEqual(log.map((_, index) => index + 1));
    const texts = log.flatMap((entry) => bodyOf(entry) ?? []);
    expect(texts.filter((body) => body.startsWith('Ada'))).toEqual(said.Ada);
    expect(texts.filter((body) => body.startsWith('Bob'))).toEqual(said.Bob);
    for (const page of [ada, bob]) {
      await expect.poll(() => bodies(page)).toEqual(texts);
      expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
    }
  },
);
