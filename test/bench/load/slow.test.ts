// @module-tag slow
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { upTo } from '../../contract/support.ts';
import { waitFor } from '../../support/waitFor.ts';
import { openSqliteDatabase } from '../stand/sqlite.ts';
import { openStand } from '../stand/stand.ts';
import { type Client, follow } from './client.ts';
import { MARK } from './marks.ts';

test('a client that does not read for a while knows of every message in the end, and counts none twice; the others hear all live', async () => {
  await using database = await openSqliteDatabase();
  await using stand = await openStand(database, {
    contender: 'holdfast',
    setting: 'sqlite',
    members: TALKERS + 1,
  });
  await using link = await startLink(Number(new URL(stand.urls[0]!).port));
  const heard = stand.members.map(() => ({
    live: [] as number[],
    fetched: [] as number[],
    left: 0,
    cutOff: 0,
  }));
  const clients: Client[] = [];
  for (const [i, member] of stand.members.entries()) {
    const mine = heard[i]!;
    const url = i === TALKERS ? link.url : stand.urls[0]!;
    clients.push(
      await follow(url, member, stand.dialect, {
        live: (number) => mine.live.push(number),
        fetched: (number) => mine.fetched.push(number),
        left(messages) {
          mine.left += messages;
        },
        cutOff: () => void mine.cutOff++,
      }),
    );
  }
  let said = 0;
  const talk = async (messages: number) => {
    for (let left = messages; left > 0; left -= AT_ONCE) {
      const sayers = clients
        .slice(0, TALKERS)
        .flatMap((client) => upTo(Math.min(left, AT_ONCE)).map(() => client));
      await Promise.all(sayers.map((client) => client.say(`${MARK}${said++} ${'x'.repeat(BODY)}`)));
    }
  };

  link.pause();
  await talk(PILED_UP); // more than the sockets of this machine hold
  link.resume();
  const knowsAll = ({ live, fetched, left }: (typeof heard)[number]) =>
    live.length + fetched.length + left === said;
  await waitFor('everybody knows of every message', () => heard.every(knowsAll));
  await talk(1);
  await waitFor('everybody hears the next messages', () => heard.every(knowsAll));

  const [slow, others] = [heard.at(-1)!, heard.slice(0, TALKERS)];
  for (const { live } of others) expect(new Set(live)).toEqual(new Set(upTo(said).map((n) => n - 1)));
  for (const { fetched, left, cutOff } of others) expect([fetched.length, left, cutOff]).toEqual([0, 0, 0]);
  const all = [...slow.live, ...slow.fetched];
  expect(slow.fetched.length).toBeGreaterThan(0);
  expect(new Set(all).size).toBe(all.length);
  for (const client of clients) client.close();
}, 60_000);

const TALKERS = 8;
const AT_ONCE = 20;
/** Characters, almost the longest. */
const BODY = 3_900;
/** Of each: with 4 kB a message 6 MB in all. */
const PILED_UP = 180;

interface Link extends AsyncDisposable {
  url: string;
  /** From now on it does not read what the server sends; the buffers of the system fill up. */
  pause(): void;
  resume(): void;
}

async function startLink(port: number): Promise<Link> {
  const pairs: { up: Socket; down: Socket }[] = [];
  const server = createServer((down) => {
    const up = connect(port, '127.0.0.1');
    pairs.push({ up, down });
    for (const [from, to] of [
      [up, down],
      [down, up],
    ] as const) {
      from.on('error', () => {});
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pause() {
      for (const { up, down } of pairs) up.unpipe(down).pause();
    },
    resume() {
      for (const { up, down } of pairs) up.pipe(down);
    },
    async [Symbol.asyncDispose]() {
      for (const { up } of pairs) up.destroy();
      server.close();
    },
  };
}
