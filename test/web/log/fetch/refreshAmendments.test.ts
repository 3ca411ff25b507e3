import { expect, test } from 'vitest';
import { amend, bench, grow, spans, text } from '../syncBench.ts';

test('S3 edits and deletions made during 5,000 missed entries are requested when on the screen; deleted text is in no record', async () => {
  const log = [text(1), text(2, 'secret'), text(3)];
  const tab = bench({ r: log });
  await tab.connect();
  amend(log, 'edit', 2, 'secret, changed');
  await tab.connect();
  tab.sync.down();
  amend(log, 'edit', 2, 'secret, changed again');
  grow(log, 2_500);
  amend(log, 'delete', 2);
  grow(log, 2_500);
  amend(log, 'edit', 3, 'edited at the end');
  await tab.connect();
  expect(await tab.records()).toContain('secret, changed');
  const all = [log.length - 10, log.length] as const;
  expect(await tab.sync.freshen('r', { from: all[0], to: all[1] })).toBe('known');
  expect(tab.asked).toEqual([]);

  expect(await tab.sync.freshen('r', { from: 1, to: 3 })).toBe('asked');
  expect(await tab.records()).not.toContain('secret');
  expect(tab.asked).toEqual([{ room: 'r', from: 1, to: 3 }]);
});

test('S3 amendments are requested once, never if they are stored, and a span that was refreshed entirely stays so', async () => {
  const log = [text(1)];
  grow(log, 299);
  const tab = bench({ r: log.slice(0, 180) });
  await tab.connect();
  tab.sync.down();
  tab.logs.set('r', log);
  grow(log, 500);
  await tab.connect();
  expect((await spans(tab.db))[0]).toMatchObject({ from: 1, to: 180, amendedTo: 180 });

  const both = await Promise.all([
    tab.sync.freshen('r', { from: 10, to: 59 }),
    tab.sync.freshen('r', { from: 40, to: 99 }),
  ]);
  expect(both).toEqual(['asked', 'asked']);
  expect(tab.asked).toEqual([
    { room: 'r', from: 10, to: 59 },
    { room: 'r', from: 60, to: 99 },
  ]);
  expect(await tab.sync.freshen('r', { from: 10, to: 99 })).toBe('known');
  expect((await spans(tab.db))[0]).toMatchObject({ amendedTo: 180 });
  expect(await tab.sync.freshen('r', { from: 1, to: 180 })).toBe('asked');
  expect((await spans(tab.db))[0]).toMatchObject({ from: 1, to: 180, amendedTo: log.length });
  const asked = tab.asked.length;
  tab.sync.down();
  await tab.connect(); // which ranges were checked is forgotten; `amendedTo` of the span is not
  expect(await tab.sync.freshen('r', { from: 1, to: 180 })).toBe('known');
  expect(tab.asked).toHaveLength(asked);
});

test('S3 without a connection nothing is requested, and stored entries stay', async () => {
  const log = [text(1)];
  const tab = bench({ r: log });
  await tab.connect();
  grow(log, 400);
  await tab.connect();
  tab.sync.down();
  expect(await tab.sync.freshen('r', { from: 1, to: 1 })).toBe('no way');
  expect(tab.asked).toEqual([]);
  expect(await tab.records()).toContain('text 1');
});
