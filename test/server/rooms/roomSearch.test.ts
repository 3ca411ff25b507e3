/** The search of public rooms on the whole server: what is found, in pages, and how often one may search. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOM_SEARCHES_PER_MINUTE, ROOMS_FOUND_MAX } from '../../../shared/limits.ts';
import { type ApiClient, connectClient, newId, signUp } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const person = async () => connectClient(server.url, await signUp(server.url, `person ${names++}`));

async function search(by: ApiClient, query: string, after?: string) {
  const answer = await by.request('room:list', { query, ...(after !== undefined && { after }) });
  if (!answer.ok) throw new Error(answer.error.code);
  return answer;
}

test('public rooms are found by a part of their name or description, with their members; private ones by nobody', async () => {
  using mika = await person();
  using lin = await person();
  const [ward, cafe, secret] = [newId(), newId(), newId()];
  await mika.makeRoom({ id: ward, kind: 'public', name: 'Ward 5 · 第五病房' });
  await mika.makeRoom({ id: cafe, kind: 'public', name: 'Café' });
  await mika.makeRoom({ id: secret, kind: 'private', name: 'Ward council' });
  await mika.request('room:about', { room: cafe, clientOffset: newId(), description: 'Lunch of ward 5' });
  await lin.request('room:join', { room: cafe, clientOffset: newId() });
  const { rooms } = await search(lin, ' WARD ');
  expect(rooms.map(({ id, members }) => [id, members]).toSorted()).toEqual(
    [
      [ward, 1],
      [cafe, 2],
    ].toSorted(),
  );
  expect(rooms.find(({ id }) => id === cafe)?.about?.description).toBe('Lunch of ward 5');
  expect((await search(lin, '第五')).rooms.map(({ id }) => id)).toEqual([ward]);
  expect(await search(lin, 'nowhere')).toMatchObject({ rooms: [] });
  expect((await search(lin, ' ')).rooms.length).toBeGreaterThan(2); // the whole list
  expect(await lin.request('room:list', { query: 'x'.repeat(300) })).toMatchObject({
    ok: false,
    error: { code: 'invalid' },
  });
});

test('many rooms are found in pages, each once; nobody searches more often than the limit', {
  timeout: 60_000,
}, async () => {
  using mika = await person();
  using other = await person();
  const made = Array.from({ length: ROOMS_FOUND_MAX + 5 }, () => newId());
  for (const id of made) await mika.makeRoom({ id, kind: 'public', name: 'Galley' });
  const first = await search(mika, 'galley');
  expect(first.rooms).toHaveLength(ROOMS_FOUND_MAX);
  const second = await search(mika, 'galley', first.next);
  expect([...first.rooms, ...second.rooms].map(({ id }) => id).toSorted()).toEqual(made.toSorted());
  expect(second.next).toBeUndefined();
  // together: on a slow machine the allowance grows again while they are sent one after the other
  const searches = Array.from({ length: 2 * ROOM_SEARCHES_PER_MINUTE }, () =>
    mika.request('room:list', { query: 'x' }),
  );
  expect(await Promise.all(searches)).toContainEqual(
    expect.objectContaining({ ok: false, error: expect.objectContaining({ code: 'rate-limited' }) }),
  );
  expect(await mika.request('room:list', {})).toMatchObject({ ok: true });
  expect(await other.request('room:list', { query: 'galley' })).toMatchObject({ ok: true });
});
