/** Runs programs: those of node_modules/.bin with the Node that is pinned there, from the root of the project. */
import { type ChildProcess, spawn } from 'node:child_process';
import { delimiter, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
const BIN = resolve(ROOT, 'node_modules/.bin');

export interface Ran {
  code: number;
  /** Output and errors, interleaved. Empty with `show`. */
  output: string;
}

/** Runs `name` of node_modules/.bin to its end. `show` prints its output to this terminal instead. */
export function runTool(name: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  return run(resolve(BIN, name), args, options);
}

/**
 * The same with the processor time that everybody else leaves: in Linux's class SCHED_IDLE, which a normal process interrupts
 * at once. The code is 127 where that is not possible.
 */
export function runToolIdly(name: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  return run('chrt', ['--idle', '0', resolve(BIN, name), ...args], options);
}

interface RunOptions {
  show?: boolean;
  env?: Record<string, string | undefined>;
  /** After this it is killed. */
  withinMs?: number;
}

/** Runs any program to its end. If it cannot be started, the code is 127 and the output says why. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH}`, ...options.env },
    stdio: ['ignore', options.show ? 'inherit' : 'pipe', options.show ? 'inherit' : 'pipe'],
    timeout: options.withinMs,
    killSignal: 'SIGKILL',
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await ended(child);
  return typeof code === 'number'
    ? { code, output: Buffer.concat(chunks).toString() }
    : { code: 127, output: code.message };
}

function ended(child: ChildProcess): Promise<number | Error> {
  return new Promise((done) => {
    child.on('error', done);
    child.on('close', (code) => done(code ?? 1));
  });
}
