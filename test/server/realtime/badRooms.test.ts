/** An error of one room affects that room only: all members are welcomed, and all other rooms are live. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { type LogStore, type Store, Unavailable } from '../../../server/store/port.ts';
import type { FailedRoom, Room } from '../../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, type SignedUp, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';

async function scene(server: RunningApp) {
  const [ada, bo] = [await signUp(server.url, 'Ada'), await signUp(server.url, 'Bo')];
  const [good, bad] = [newId(), newId()];
  using client = await connectClient(server.url, ada);
  using other = await connectClient(server.url, bo);
  for (const id of [good, bad]) {
    await client.makeRoom({ id, kind: 'public', name: 'a room' });
    await other.request('room:join', { room: id, clientOffset: newId() });
    await client.append(text('one', id), text('two', id), text('three', id));
  }
  return { ada, bo, good, bad };
}

const ids = (rooms: readonly { id: string }[]) => rooms.map(({ id }) => id).sort();
const roomFrames = ({ frames }: ApiClient) =>
  frames.flatMap(({ event, payload }) =>
    event === 'room' ? [payload as { room?: Room; failed?: FailedRoom }] : [],
  );

/** The room is live: it is caught up, can be written to, and its frames arrive. */
async function isLive(server: RunningApp, client: ApiClient, other: SignedUp, room: string) {
  using writer = await connectClient(server.url, other);
  const body = `live in ${room}`;
  await writer.append(text(body, room));
  await client.hears(body, room);
}

describe.each<[what: string, broken: (log: LogStore, room: string) => Partial<LogStore>]>([
  [
    'whose head cannot be told',
    (log, bad) => ({
      heads: async (rooms) => {
        const heads = await log.heads(rooms);
        heads.delete(bad);
        return heads;
      },
    }),
  ],
  [
    'whose log cannot be read',
    (log, bad) => ({
      range: async (room, ...rest) => {
        if (room === bad) throw new Unavailable('this part of the disk');
        return log.range(room, ...rest);
      },
    }),
  ],
  [
    'on which the store fails in a way that nobody foresaw',
    (log, bad) => ({
      range: async (room, ...rest) => {
        if (room === bad) throw new TypeError('x is not a function');
        return log.range(room, ...rest);
      },
    }),
  ],
])('a room %s', (_, broken) => {
  test('is sent as failed to its members, who are welcomed into all others; it is sent when it can be read again', async () => {
    let bad: string | undefined;
    const wrap = (store: Store): Store => {
      const breaking =
        (name: keyof LogStore) =>
        async (...asked: unknown[]) => {
          const log = bad === undefined ? store.log : { ...store.log, ...broken(store.log, bad) };
          return (log[name] as (...asked: unknown[]) => unknown)(...asked);
        };
      return {
        ...store,
        log: { ...store.log, heads: breaking('heads'), range: breaking('range') } as unknown as LogStore,
      };
    };
    await using server = await startApp({ wrap });
    const rooms = await scene(server);
    await using again = await startAgain(server, wrap);
    bad = rooms.bad;
    using client = await connectClient(again.url, rooms.ada);
    expect(ids(client.welcome.failed)).toEqual([rooms.bad]);
    expect(client.welcome.failed[0]!.error).toMatchObject({ message: expect.any(String), retryAfter: 1_000 });
    expect(ids(client.welcome.rooms)).toEqual(['lobby', rooms.good].sort());
    await isLive(again, client, rooms.bo, rooms.good);
    const refused = await client.request('range', { room: rooms.bad, from: 1, to: 3 });
    if (broken(again.store.log, rooms.bad).range) expect(refused.ok).toBe(false);
    await waitFor('it is tried again', () =>
      roomFrames(client).some(({ failed }) => failed?.id === rooms.bad),
    );
    bad = undefined;
    const mended = await waitFor('the room', () =>
      roomFrames(client).find(({ room }) => room?.id === rooms.bad),
    );
    expect(mended.room).toMatchObject({ head: 5 });
    await waitFor('its log', () => client.heard(rooms.bad).length === 5);
    await isLive(again, client, rooms.bo, rooms.bad);
  });
});

/** Another process on the same data, with empty caches. */
async function startAgain(server: RunningApp, wrap: (store: Store) => Store): Promise<RunningApp> {
  // SQLite allows one process only: a second app in this process shares the store, and has its own feed.
  return startApp({ wrap: () => wrap(server.store) });
}

describe('rows that were changed by hand', () => {
  test('an unknown kind, broken content, a text without body: everything else is live, and the room is readable around them', async () => {
    await using folder = await temporaryFolder();
    const first = await startApp({ data: folder.path });
    const { ada, bo, good, bad } = await scene(first);
    await first.stop();
    const db = new DatabaseSync(join(folder.path, 'holdfast.db'));
    const insert = db.prepare(
      `INSERT INTO entries (room, serverOffset, author, clientOffset, at, kind, body, digest, content)
       VALUES (?, ?, ?, ?, 1, ?, ?, 'x', ?)`,
    );
    insert.run(bad, 6, ada.user.id, newId(), 'from-the-future', null, '{"words":"kept"}');
    insert.run(bad, 7, ada.user.id, newId(), 'text', 'x', 'no JSON');
    insert.run(bad, 8, ada.user.id, newId(), 'text', null, null);
    insert.run(bad, 9, 'nobody', newId(), 'text', 'by nobody', null);
    insert.run(bad, 10, ada.user.id, newId(), 'edit', 'of nothing', null);
    db.prepare('UPDATE rooms SET head = 10 WHERE id = ?').run(bad);
    db.close();
    await using server = await startApp({ data: folder.path });
    using client = await connectClient(server.url, bo);
    expect(client.welcome.failed).toEqual([]);
    await isLive(server, client, ada, good);
    await waitFor('the bad room', () => client.heard(bad).length === 10);
    expect(client.heard(bad).slice(2)).toMatchObject(
      [
        { body: 'one' },
        { body: 'two' },
        { body: 'three' },
        { kind: 'from-the-future', words: 'kept' },
        { kind: 'text', unreadable: true },
        { kind: 'text', unreadable: true },
        { kind: 'text', unreadable: true },
        { kind: 'edit', unreadable: true },
      ].slice(0),
    );
    await isLive(server, client, ada, bad);
    const range = await client.request('range', { room: bad, from: 1, to: 100 });
    expect(range.ok && range.entries).toHaveLength(11);
  });
});
