import { expect, test } from 'vitest';
import { applyRowEvent, type Row, type RowEvent, retried } from '../../../web/records/row.ts';
import { key, parked, text } from '../outbox/support.ts';

const internal = { code: 'internal', message: 'a mistake' };
const forbidden = { code: 'forbidden', message: 'not a member' };
const conflict = { code: 'conflict', message: 'another content' };
const run = (row: Row, ...events: RowEvent[]) => events.reduce(applyRowEvent, row);
const attempted: RowEvent = { type: 'attempted' };

test('O3 a row that was sent and not answered is `checking`', () => {
  expect(run(text(1), attempted).state).toEqual({ tag: 'sending' });
  expect(run(text(1), attempted, { type: 'unanswered' }).state).toEqual({ tag: 'checking' });
});

test('O4 an attempted row stays attempted, whatever the answer', () => {
  expect(run(text(1), attempted, { type: 'put-off' })).toMatchObject({
    attempted: true,
    state: { tag: 'queued' },
  });
});

test('O3 five uncertain answers park a row, as one that may be in the log', () => {
  const uncertain: RowEvent = { type: 'uncertain', error: internal };
  expect(run(text(1), uncertain, uncertain, uncertain, uncertain).state).toEqual({ tag: 'queued' });
  expect(run(text(1), uncertain, uncertain, uncertain, uncertain, uncertain).state).toEqual({
    tag: 'parked',
    reason: internal,
    uncertain: true,
  });
});

test('O3 a refusal parks with its reason; a retry queues under the same key', () => {
  const refused = run(text(1), attempted, { type: 'refused', error: forbidden, newKey: key(9) });
  expect(refused).toMatchObject({
    clientOffset: key(1),
    state: { tag: 'parked', reason: forbidden, uncertain: false },
  });
  expect(retried(refused)).toMatchObject({
    clientOffset: key(1),
    state: { tag: 'queued' },
    attempted: true,
  });
});

test('after a conflict a row is sent once under a new key, then parked', () => {
  const again = run(text(1), attempted, { type: 'refused', error: conflict, newKey: key(9) });
  expect(again).toMatchObject({ seq: 1, clientOffset: key(9), attempted: false, state: { tag: 'queued' } });
  const twice = run(again, attempted, { type: 'refused', error: conflict, newKey: key(10) });
  expect(twice).toMatchObject({ clientOffset: key(9), state: { tag: 'parked' } });
});

test('O4 a text that is too long is kept as not sent, and is never sent', () => {
  const long = text(1, 'x'.repeat(9_000));
  expect(long.state).toMatchObject({ tag: 'parked', reason: { code: 'too-large' } });
  expect(retried(long).state.tag).toBe('parked');
});

test('events that leave a row unchanged', () => {
  expect(applyRowEvent(parked(text(1)), { type: 'unanswered' })).toEqual(parked(text(1)));
  expect(applyRowEvent(parked(text(1)), { type: 'put-off' })).toEqual(parked(text(1)));
});
