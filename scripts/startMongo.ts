/**
 * `npm run start:mongo`: several processes of one chat on this machine, on PORT, PORT + 1, … and on the MongoDB of
 * MONGODB_URL. PROCESSES is their number (default 2). When one ends, all end, so that a supervisor restarts the script.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { EX_CONFIG } from '../server/base/exitCodes.ts';

const MONGODB_URL = process.env.MONGODB_URL || 'mongodb://127.0.0.1:27017/holdfast';
const processes = wholeNumber('PROCESSES', 2, 1, 64);
const firstPort = wholeNumber('PORT', 3000, 1, 65_535 - 64);

let ending = false;
const children = Array.from({ length: processes }, (_, i) =>
  spawn(process.execPath, ['server/main.ts'], {
    stdio: 'inherit',
    env: { ...process.env, MONGODB_URL, PORT: String(firstPort + i), ...metricsPort(i) },
  }),
);
for (const child of children) child.once('exit', (code) => endAll(child, code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => endAll(undefined, 0));
process.on('SIGHUP', () => children.forEach((child) => void child.kill('SIGHUP'))); // reads the TLS files again

function endAll(first: ChildProcess | undefined, code: number): void {
  if (ending) return;
  ending = true;
  process.exitCode = code;
  for (const child of children) if (child !== first) child.kill('SIGTERM');
}

/** METRICS_PORT, if it is set, is the port of the first process; the others use the following ports. */
function metricsPort(i: number): { METRICS_PORT?: string } {
  return process.env.METRICS_PORT?.trim()
    ? { METRICS_PORT: String(wholeNumber('METRICS_PORT', 0, 1, 65_535 - 64) + i) }
    : {};
}

function wholeNumber(name: string, otherwise: number, least: number, most: number): number {
  const text = process.env[name]?.trim();
  if (!text) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  console.error(`${name} is "${text}": it must be a whole number from ${least} to ${most}.`);
  process.exit(EX_CONFIG);
}
