/** The command `npm run admin-password`: reads a password from standard input, and prints the setting ADMIN_PASSWORD_HASH. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import bcrypt from 'bcryptjs';
import { EX_CONFIG } from '../base/exitCodes.ts';

const MIN_BYTES = 12;
/** bcrypt reads no more. */
const MAX_BYTES = 72;
/** Some 0.3 s. */
const COST = 12;

/** As npm's own prompts: on standard error, so that the output can be redirected. */
if (process.stdin.isTTY) process.stderr.write('Password for operators (it is not shown): ');
const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
const lines = createInterface({ input: process.stdin, output: silent, terminal: process.stdin.isTTY });
const password = (await lines[Symbol.asyncIterator]().next()).value ?? '';
lines.close();
if (process.stdin.isTTY) process.stderr.write('\n');

const bytes = Buffer.byteLength(password);
if (bytes < MIN_BYTES || bytes > MAX_BYTES) {
  console.error(`The password has ${bytes} bytes: choose one of ${MIN_BYTES} to ${MAX_BYTES}.`);
  process.exitCode = EX_CONFIG;
} else console.log(`ADMIN_PASSWORD_HASH='${await bcrypt.hash(password, COST)}'`);
