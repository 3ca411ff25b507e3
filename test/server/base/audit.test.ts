import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAudit } from '../../../server/base/audit.ts';
import { createLogger } from '../../../server/base/logger.ts';
import { AUDIT_REFUSED_PER_SECOND } from '../../../server/base/serverLimits.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function auditedWith({ level = 'warn', isOn = true, key = 'K' } = {}) {
  const written: string[] = [];
  const logger = createLogger(level as 'warn', { write: (line) => void written.push(line) });
  const audit = createAudit({ logger, isOn, key: Buffer.from(key), now: () => Date.now() });
  return { ...audit, written, lines: () => written.map((line) => JSON.parse(line)) };
}

const ADA = { user: 'ada-id', device: 'her-phone', address: '203.0.113.5' };

test('a line has the event, its outcome and the time, also where LOG_LEVEL is warn', () => {
  const audit = auditedWith();
  audit.record('sign-in', ADA);
  audit.record('sign-in', { ...ADA, code: 'unauthorized' });
  audit.record('limit', { limit: 'frames' });
  expect(audit.lines()).toMatchObject([
    { audit: true, event: 'sign-in', outcome: 'done', time: expect.stringMatching(/^\d{4}-/) },
    { audit: true, event: 'sign-in', outcome: 'refused', code: 'unauthorized' },
    { audit: true, event: 'limit', outcome: 'refused', limit: 'frames' },
  ]);
});

test('no id and no address is in the log: the same one has the same hash within a run, and another in the next run', () => {
  const [audit, later] = [auditedWith(), auditedWith({ key: 'L' })];
  audit.record('sign-in', ADA);
  audit.record('sign-out', ADA);
  audit.record('sign-in', { ...ADA, address: '203.0.113.6' });
  later.record('sign-in', ADA);
  for (const secret of Object.values(ADA)) expect(audit.written.join()).not.toContain(secret);
  const [first, second, third] = audit.lines();
  expect(first.user).toMatch(/^[0-9a-f]{16}$/);
  expect(second).toMatchObject({ user: first.user, device: first.device, address: first.address });
  expect(third).toMatchObject({ user: first.user });
  expect(third.address).not.toBe(first.address);
  expect(later.lines()[0].user).not.toBe(first.user);
});

test('AUDIT_LOG=off and LOG_LEVEL=silent write nothing', () => {
  for (const audit of [auditedWith({ isOn: false }), auditedWith({ level: 'silent' })]) {
    audit.record('sign-in', ADA);
    audit.flush();
    expect(audit.written).toEqual([]);
  }
});

test('a flood of refusals is a bounded number of lines a second and one with the count; other events are still written', () => {
  const audit = auditedWith();
  for (let i = 0; i < 10_000; i++) audit.record('connection', { address: `10.0.0.${i}`, code: 'forbidden' });
  audit.record('sign-in', ADA);
  expect(audit.written).toHaveLength(AUDIT_REFUSED_PER_SECOND + 1);
  vi.advanceTimersByTime(1_000);
  expect(audit.lines().at(-1)).toMatchObject({
    event: 'connection',
    code: 'forbidden',
    count: 10_000 - AUDIT_REFUSED_PER_SECOND,
  });
  audit.record('connection', { code: 'forbidden' });
  expect(audit.written).toHaveLength(AUDIT_REFUSED_PER_SECOND + 3);
  vi.advanceTimersByTime(5_000);
  expect(audit.written).toHaveLength(AUDIT_REFUSED_PER_SECOND + 3);
});

test('at the end of the process the pending counts are written', () => {
  const audit = auditedWith();
  for (let i = 0; i < AUDIT_REFUSED_PER_SECOND + 5; i++) audit.record('sign-in', { code: 'unauthorized' });
  audit.flush();
  expect(audit.lines().at(-1)).toMatchObject({ event: 'sign-in', count: 5 });
});
