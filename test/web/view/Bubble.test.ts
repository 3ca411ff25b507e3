import { expect, test } from 'vitest';
import type { Message } from '../../../web/state/model.ts';
import { looksSame } from '../../../web/view/Bubble.tsx';

const message: Message = {
  key: 'ada 1',
  clientOffset: '1',
  serverOffset: undefined,
  author: { id: 'ada', name: 'Ada' },
  mine: true,
  at: 1,
  content: { tag: 'text', body: 'two seals', edited: false },
  status: { tag: 'queued' },
  pending: 'none',
  can: { edit: true, remove: true },
};

test('a bubble renders again if and only if something visible has changed', () => {
  expect(looksSame(message, structuredClone(message))).toBe(true);
  expect(looksSame(message, { ...message, serverOffset: 7, can: { edit: false, remove: false } })).toBe(true);
  const others: Partial<Message>[] = [
    { clientOffset: '2' },
    { author: { id: 'ada', name: 'Ada L.' } },
    { at: 2 },
    { content: { tag: 'text', body: 'three seals', edited: false } },
    { content: { tag: 'text', body: 'two seals', edited: true } },
    { content: { tag: 'deleted' } },
    { status: { tag: 'sent' } },
  ];
  for (const other of others)
    expect(looksSame(message, { ...message, ...other }), JSON.stringify(other)).toBe(false);
});
