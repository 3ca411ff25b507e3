/** A program and all processes that it starts, killed together: a browser is a dozen processes. Linux only. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { dieTogether } from './orphans.ts';
import { waitFor } from './waitFor.ts';

export interface ProcessGroup {
  readonly child: ChildProcess;
  /** Its output so far. */
  logs(): string;
  /** Throws if the program has ended by itself. */
  check(): void;
  /** The pids of its living processes with this name, which the system truncates to 15 characters. */
  named(name: string): Promise<number[]>;
  /** Kills all processes, stopped ones included, as a phone does that needs the memory. */
  kill9(): Promise<void>;
}

export function startGroup(program: string, args: string[], options: SpawnOptions): ProcessGroup {
  let logs = '';
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, detached: true });
  child.on('error', (error) => {
    logs += error.message;
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      logs = (logs + text).slice(-100_000);
    });
  if (child.pid !== undefined) dieTogether(child, 'group');

  const named = async (name?: string) =>
    (await membersOf(child.pid)).filter((member) => name === undefined || member.name === name);
  return {
    child,
    logs: () => logs,
    check() {
      if (hasEnded(child)) throw new Error(`${program} has ended:\n${logs}`);
    },
    named: async (name) => (await named(name)).map(({ pid }) => pid),
    async kill9() {
      if (child.pid === undefined) return;
      const exited = hasEnded(child) || once(child, 'exit');
      killGroup(child.pid);
      await exited;
      await waitFor('all of its processes are gone', async () => (await named()).length === 0);
    },
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // no process is left
  }
}

interface Member {
  pid: number;
  name: string;
}

async function membersOf(group: number | undefined): Promise<Member[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map((pid) => statOf(pid)));
  return all.flatMap((stat) => (stat && stat.group === group ? [stat] : []));
}

/** Undefined if the process has ended or is a zombie. */
async function statOf(pid: string): Promise<(Member & { group: number }) | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, name, state, group] = /^\d+ \((.*)\) (\S) \d+ (\d+)/s.exec(text) ?? [];
  return name === undefined || 'ZX'.includes(state!)
    ? undefined
    : { pid: Number(pid), name, group: Number(group) };
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
