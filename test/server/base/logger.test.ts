import { expect, test } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';

test('secrets in an object that is logged as a whole are redacted', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) });
  logger.info({ token: 'S3CRET', request: { password: 'S3CRET', headers: { cookie: 'S3CRET' } } }, 'said');
  logger.debug('not at this level');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('S3CRET');
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', msg: 'said', pid: process.pid });
});
