/** Runs a Node program that prints its address, and reads the system's figures about it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dieTogether } from '../../support/orphans.ts';
import { ROOT } from '../../support/tools.ts';
import { waitFor } from '../../support/waitFor.ts';

export interface Program {
  url: string;
  pid: number;
  /** Stops it with SIGTERM, and with SIGKILL if necessary. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  script: string;
  env: Record<string, string>;
  /** Options of Node, such as `--cpu-prof`. */
  nodeOptions?: readonly string[];
  /** Runs on this core alone (Linux, `taskset`). */
  core?: number | undefined;
}

/** Resolves when it has printed an address with a port. */
export async function startProgram({
  script,
  env,
  nodeOptions = [],
  core,
}: ProgramOptions): Promise<Program> {
  const [program, ...first] =
    core === undefined ? [process.execPath] : ['taskset', '-c', `${core}`, process.execPath];
  const child = spawn(program!, [...first, ...nodeOptions, script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  dieTogether(child);
  let printed = '';
  const keep = (text: string) => {
    printed = (printed + text).slice(-KEPT_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  const isOver = () => child.exitCode !== null || child.signalCode !== null;

  const listens = () => {
    if (isOver()) throw new Error(`${script} ended:\n${printed}`);
    return /https?:\/\/[^\s/]*:(\d+)/.exec(printed)?.[1];
  };
  const port = await waitFor(`${script} says where it listens`, listens, STARTED_WITHIN_MS);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    async stop() {
      if (isOver()) return;
      child.kill('SIGTERM');
      const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await once(child, 'exit');
      clearTimeout(impatience);
    },
  };
}

const KEPT_CHARACTERS = 10_000;
/** On a machine that is busy. */
const STARTED_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;
