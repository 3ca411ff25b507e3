/** The command lines of databases that this machine may not have. */
import { readFileSync, statSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../tmp.ts';
import { programOf } from './programs.ts';

const mongod = { kind: 'mongod', program: 'mongod' } as const;

test('a mongod with authentication has a key file that only its user may read', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const { args } = programOf(mongod, 1, folder.path, { auth: true });
  expect(args).toContain('--auth');
  const file = args[args.indexOf('--keyFile') + 1]!;
  expect(readFileSync(file, 'utf8')).toMatch(/^[\w+/=]{6,1024}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
