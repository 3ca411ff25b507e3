import { expect, test } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';

test('of an error only its kind, its words and its codes are written: not the documents of a failed write, nor the value in a unique index', () => {
  const lines: string[] = [];
  const logger = createLogger('trace', { write: (line) => void lines.push(line) });
  const message =
    'E11000 duplicate key error collection: h.users index: name dup key: { name: "S3CRET } {x} S3CRET y" }';
  const error = Object.assign(new Error(message), {
    code: 11_000,
    writeErrors: [{ err: { op: { body: 'S3CRET' } } }],
    cause: Object.assign(new Error('the cause'), { response: 'S3CRET' }),
  });
  logger.error({ err: error }, 'append failed');
  logger.error({ err: 'thrown as it is' }, 'append failed');
  expect(lines.join()).not.toContain('S3CRET');
  expect(JSON.parse(lines[0]!).err).toMatchObject({
    type: 'Error',
    message: expect.stringContaining(
      'E11000 duplicate key error collection: h.users index: name dup key: {…}',
    ),
    code: 11_000,
    stack: expect.stringContaining('logger.test.ts'),
    cause: { message: 'the cause' },
  });
});

test('an error that is its own cause is written', () => {
  const lines: string[] = [];
  const logger = createLogger('trace', { write: (line) => void lines.push(line) });
  const error = new Error('round and round');
  error.cause = error;
  logger.error({ err: error }, 'failed');
  expect(JSON.parse(lines[0]!).err).toMatchObject({ message: 'round and round', cause: { type: 'Error' } });
});

test('secrets in an object that is logged as a whole are redacted', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) });
  logger.info({ token: 'S3CRET', request: { password: 'S3CRET', headers: { cookie: 'S3CRET' } } }, 'said');
  logger.debug('not at this level');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('S3CRET');
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', msg: 'said', pid: process.pid });
});
