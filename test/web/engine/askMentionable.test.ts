import { expect, test } from 'vitest';
import type { Request } from '../../../shared/protocol/index.ts';
import { askMentionable } from '../../../web/engine/askMentionable.ts';
import type { ConnectionRunner } from '../../../web/transport/connectionRunner.ts';
import { emptyDatabase } from '../log/storedLog.ts';

const ME = 'me';
const names = Array.from({ length: 260 }, (_, i) => `p${String(i).padStart(3, '0')}`);

/** A server with these people in the room, in pages of 50. */
function connectionTo(people: readonly string[]) {
  const asked: Request<'presence'>[] = [];
  const ask = async (_: string, request: Request<'presence'>) => {
    asked.push(request);
    const { after = '', begins } = request;
    const found = people.filter((id) => (begins === undefined ? id > after : id.startsWith(begins)));
    const page = found.slice(0, 50);
    const users = Object.fromEntries(page.map((id) => [id, { name: id, rev: 0 }]));
    const next = begins === undefined && found.length > 50 ? { next: page.at(-1) } : {};
    return { ok: true, epoch: 'e', people: {}, users, ...next };
  };
  return { asked, connection: { ask } as unknown as Pick<ConnectionRunner, 'ask'> };
}

test('the people of a small room are all known; of a large one those are asked for whose names begin as typed', async () => {
  const db = emptyDatabase(ME);
  const small = await askMentionable(db, ME, connectionTo([ME, 'p001', 'p000']).connection, 'r');
  expect(small).toEqual({
    people: [
      { id: 'p000', name: 'p000' },
      { id: 'p001', name: 'p001' },
    ],
    isAll: true,
  });
  const none = { ask: async () => undefined } as unknown as Pick<ConnectionRunner, 'ask'>;
  expect(await askMentionable(db, ME, none, 'r')).toEqual({ people: [], isAll: false });
  const large = connectionTo(names);
  const some = await askMentionable(db, ME, large.connection, 'r');
  expect([some.people.length, some.isAll]).toEqual([200, false]);
  expect(large.asked).toHaveLength(4);
  const more = await askMentionable(db, ME, large.connection, 'r', 'p25');
  expect(more.people.map(({ name }) => name)).toEqual(names.slice(250));
  expect(large.asked.at(-1)).toEqual({ room: 'r', begins: 'p25' });
  db.close();
});
