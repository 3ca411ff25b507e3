/**
 * Simulated machines with their own networks: Linux network namespaces, connected by veth pairs. The namespaces are anonymous:
 * each lasts as long as a process is in it, and ends with the test. The network of the host is not changed.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dieTogether } from './orphans.ts';
import { ROOT, run } from './tools.ts';
import { waitFor } from './waitFor.ts';

export interface Machine extends AsyncDisposable {
  /** The process that keeps the namespace alive. */
  readonly pid: number;
  /** Runs a program on the machine and resolves with its output; rejects with the output if it fails. */
  run(words: string): Promise<string>;
  /** Starts a program on the machine. It ends with this process. */
  start(program: string, args: string[], options?: SpawnOptions): ChildProcess;
  /** An address on this host's loopback that forwards to a port of that machine. */
  door(host: string, port: number): Promise<string>;
}

/** The reason why this system cannot create namespaces, as a sentence; undefined if it can. */
export async function whyNoMachines(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'Network namespaces are Linux’s.';
  if (process.getuid?.() !== 0)
    return 'Network namespaces are made as root, and this is run by somebody else.';
  const tried = await run('unshare', ['--net', 'sh', '-ec', NEEDED]);
  if (tried.code === 0) return undefined;
  return `Network namespaces cannot be used here: ${tried.output.trim() || `unshare ended with ${tried.code}`}`;
}

const NEEDED = `
  command -v nsenter
  ip link add name near type veth peer name far
  ip rule add from 10.77.0.1 blackhole
  echo 1 > /proc/sys/net/ipv4/ip_forward`;

/** Starts a machine that has only a loopback interface and forwards packets. */
export async function startMachine(): Promise<Machine> {
  // The holder ends when its stdin closes, that is with this process; then the namespace ends, too.
  const holder = spawn('unshare', ['--net', 'sh', '-ec', HOLD], { stdio: ['pipe', 'pipe', 'inherit'] });
  holder.stdin.on('error', () => {}); // it has ended already
  await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit').then(noMachine)]);
  const pid = holder.pid!;
  const namespace = await readlink(`/proc/${pid}/ns/net`);
  const enter = (...words: string[]) => [`--net=/proc/${pid}/ns/net`, '--', ...words];

  const start: Machine['start'] = (program, args, options = {}) => {
    const child = spawn('nsenter', enter(program, ...args), { cwd: ROOT, ...options });
    dieTogether(child);
    return child;
  };

  return {
    pid,
    start,
    async run(words) {
      const { code, output } = await run('nsenter', enter(...words.split(' ')));
      if (code !== 0) throw new Error(`${words}: ${output}`);
      return output;
    },
    /** A socket belongs to the namespace in which it was bound, whichever process accepts its connections. */
    async door(host, port) {
      const listener = createServer().listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const { port: ours } = listener.address() as AddressInfo;
      const relay = start(process.execPath, [`${import.meta.dirname}/relay.ts`], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      relay.send({ host, port }, listener);
      await once(relay, 'message'); // the relay has received the listener
      listener.close();
      return `http://127.0.0.1:${ours}`;
    },
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await waitFor('no process is in the namespace any more', async () => {
        const left = await processesIn(namespace);
        for (const each of left) kill(each);
        return left.length === 0;
      });
    },
  };
}

const HOLD = `
  ip link set lo up
  echo 1 > /proc/sys/net/ipv4/ip_forward
  echo up
  read -r _`;

function noMachine(): never {
  throw new Error('unshare created no namespace');
}

/** Connects two machines by a veth pair, up, with an interface name for each end. */
export async function cable(
  [one, end]: [Machine, string],
  [other, otherEnd]: [Machine, string],
): Promise<void> {
  await one.run(`ip link add name ${end} type veth peer name ${otherEnd} netns ${other.pid}`);
  await one.run(`ip link set ${end} up`);
  await other.run(`ip link set ${otherEnd} up`);
}

async function processesIn(namespace: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const theirs = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/ns/net`).catch(() => undefined)));
  return pids.filter((_, index) => theirs[index] === namespace);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {} // it has ended already
}
