/**
 * A siege: a server process with a small heap, a control that nobody attacks, three innocents on each, and a process of
 * attackers. Attacks run one after another; each has its figures and a verdict.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOBBY } from '../../../shared/mint.ts';
import { dieTogether } from '../../support/orphans.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import { ROOT, run } from '../../support/tools.ts';
import type { AskedOfAttacker, ToldByAttacker } from './attacker.ts';
import type { AttackName } from './attacks.ts';
import type { AskedOfInnocents, ToldByInnocents } from './innocents.ts';
import { http, signUpFrom } from './rawClient.ts';
import { type Figures, LEAST_BOUND_MS, p99 } from './verdict.ts';

/** The heap of the server under attack, in MB. A server that keeps what it gets ends here. */
const HEAP_MB = 256;
const QUIET_MS = 1_000;
const SAMPLE_MS = 50;

export interface Siege extends AsyncDisposable {
  readonly server: ServerProcess;
  /** Runs one attack for this long. A server that ends or stands still is started again, and the figures say so. */
  attack(name: AttackName, ms?: number): Promise<Figures>;
  /** Reads the whole log. Resolves with the acknowledged texts of the innocents that are not in it, or elsewhere. */
  missing(): Promise<string[]>;
}

/** Two servers, two more processes and the quiet windows, on a busy machine. */
export const BESIEGED_WITHIN_MS = 120_000;

export interface SiegeOptions {
  /** How long the quiet latency is measured, in windows of 1 s. */
  quietWindows?: number;
  /** A factor of the rates of all attacks. */
  rate?: number;
  /** The innocents' p99 may always be so long. */
  leastBoundMs?: number;
}

/** `env`: settings of the server under attack. */
export async function besiege(
  env: Record<string, string> = {},
  { quietWindows = 3, rate = 1, leastBoundMs = LEAST_BOUND_MS }: SiegeOptions = {},
): Promise<Siege> {
  const folder = await folderInMemory();
  const [server, control] = await Promise.all([
    startServer({
      data: `${folder.path}/attacked`,
      env: {
        LOG_LEVEL: 'error',
        ...env,
        NODE_OPTIONS: `--max-old-space-size=${HEAP_MB} ${env.NODE_OPTIONS ?? ''}`,
      },
    }),
    startServer({ data: `${folder.path}/control`, env: { LOG_LEVEL: 'error' } }),
  ]);
  const innocents = child('innocents.ts');
  const attacker = child('attacker.ts');
  // Attackers are elsewhere in reality: they shall not take the processor from server and innocents.
  setPriority(attacker.pid!, constants.priority.PRIORITY_LOW);
  await ask(innocents, { say: 'start', attacked: server.url, control: control.url });
  let quietMs = 0;
  const measureQuiet = async () => {
    const windows: number[] = [];
    while (windows.length < quietWindows) {
      await ask(innocents, { say: 'begin' });
      await sleep(QUIET_MS);
      windows.push(p99((await measured()).attacked.latenciesMs));
    }
    quietMs = Math.min(...windows); // a machine that was busy during one of them was not quiet
  };
  const measured = async () => {
    const told = await ask(innocents, { say: 'end' });
    if (told.say !== 'measured') throw new Error(`the innocents answered ${told.say}`);
    return told;
  };
  await measureQuiet();

  return {
    server,
    async attack(name, ms = 1_000) {
      const memory = watchMemory(server.pid());
      const startedAt = server.pid();
      attacker.send({ attack: name, url: server.url, ms, rate } satisfies AskedOfAttacker);
      await told(attacker, 'prepared');
      await ask(innocents, { say: 'begin' });
      const start = performance.now();
      const cpuBefore = await cpuMs(startedAt);
      attacker.send('go');
      const over = await told(attacker, 'over');
      const { attacked, control: unattacked } = await measured();
      const seconds = (performance.now() - start) / 1000;
      const isAlive = server.isAlive();
      const cpu = Math.max(0, (await cpuMs(startedAt)) - cpuBefore);
      const rss = memory.stop();
      const answers = isAlive && (await isAnswering(server.url));
      if (!answers) {
        await server.kill9();
        await server.start();
        await sleep(500);
      }
      return {
        name,
        end: isAlive ? (answers ? 'alive' : 'frozen') : 'dead',
        counts: over.counts,
        seconds,
        cpuMs: cpu,
        quietMs,
        p99Ms: p99(attacked.latenciesMs),
        controlMs: p99(unattacked.latenciesMs),
        leastBoundMs,
        troubles: attacked.troubles,
        controlTroubles: unattacked.troubles,
        ...rss,
      };
    },
    async missing() {
      const list = await ask(innocents, { say: 'list' });
      if (list.say !== 'acknowledged') throw new Error(`the innocents answered ${list.say}`);
      const log = await offsetsOfLog(server.url);
      return list.texts.flatMap(([key, offset]) =>
        log.get(key) === offset ? [] : [`${key} was acknowledged at ${offset} and is at ${log.get(key)}`],
      );
    },
    async [Symbol.asyncDispose]() {
      for (const one of [innocents, attacker]) one.kill('SIGKILL');
      await control.dispose();
      await server.dispose();
      await folder.remove();
    },
  };
}

/**
 * A folder for the databases, in memory where there is room: a disk that other tests keep busy stands still for seconds, and
 * none of these attacks is about the disk.
 */
async function folderInMemory(): Promise<TemporaryFolder> {
  const memory = await statfs('/dev/shm').catch(() => undefined);
  const hasRoom = memory !== undefined && memory.bavail * memory.bsize > 2 ** 30;
  if (!hasRoom) return temporaryFolder();
  const path = await mkdtemp('/dev/shm/holdfast-');
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

function child(file: string): ChildProcess {
  const made = fork(`${import.meta.dirname}/${file}`, [], {
    cwd: ROOT,
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  dieTogether(made);
  return made;
}

async function ask(innocents: ChildProcess, asked: AskedOfInnocents): Promise<ToldByInnocents> {
  innocents.send(asked);
  const [answer] = (await once(innocents, 'message')) as [ToldByInnocents];
  return answer;
}

async function told<Say extends ToldByAttacker['say']>(
  attacker: ChildProcess,
  say: Say,
): Promise<Extract<ToldByAttacker, { say: Say }>> {
  const [answer] = (await once(attacker, 'message')) as [ToldByAttacker];
  if (answer.say === say) return answer as Extract<ToldByAttacker, { say: Say }>;
  throw new Error(`expected ${say} of the attacker, which says ${JSON.stringify(answer)}`);
}

/** Samples the resident memory of a process. */
function watchMemory(pid: number): { stop(): { beforeMb: number; peakMb: number } } {
  let [beforeMb, peakMb] = [0, 0];
  const sample = async () => {
    const mb = await residentMb(pid).catch(() => 0);
    beforeMb ||= mb;
    peakMb = Math.max(peakMb, mb);
  };
  void sample();
  const timer = setInterval(() => void sample(), SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return { beforeMb, peakMb };
    },
  };
}

const PAGE_BYTES = 4_096;

async function residentMb(pid: number): Promise<number> {
  if (process.platform !== 'linux')
    return Number((await run('ps', ['-o', 'rss=', '-p', `${pid}`])).output) / 1024;
  const [, pages] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
  return (Number(pages) * PAGE_BYTES) / 2 ** 20;
}

/** What the process has used of the processor, in ms; 0 where the system does not say. */
async function cpuMs(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = stat?.split(') ')[1]?.split(' ');
  if (!fields) return 0; // it has ended
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** A server that does not answer this within 10 s stands still. */
async function isAnswering(url: string): Promise<boolean> {
  return Promise.race([
    http(url, 'GET', '/healthz', { from: '127.0.0.1' }).then(({ status }) => status === 200),
    sleep(10_000, false, { ref: false }),
  ]);
}

/**
 * Where each entry of the lobby's log stands, by clientOffset. After attacks with long texts the log is longer than what one
 * person may read at once, so several read it, one after another.
 */
async function offsetsOfLog(url: string): Promise<Map<string, number>> {
  const log = new Map<string, number>();
  for (let nth = 1; ; nth++) {
    const { token } = await signUpFrom(url, `Reader ${nth}`, '127.0.0.1');
    if (await readOn(url, token, log)) return log;
  }
}

/** Resolves with true at the end of the log, with false if this reader has to wait. */
async function readOn(url: string, token: string, log: Map<string, number>): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  for (;;) {
    const from = log.size + 1;
    const path = `/api/rooms/${LOBBY}/entries?from=${from}&to=${from + 199}`;
    const { body } = await http(url, 'GET', path, { headers, from: '127.0.0.1' });
    const page = JSON.parse(body) as Page;
    if (page.error?.code === 'rate-limited') return false;
    if (!page.entries) throw new Error(`range of the lobby: ${body.slice(0, 300)}`);
    for (const { author, clientOffset, serverOffset } of page.entries)
      log.set(`${author} ${clientOffset}`, serverOffset);
    if (page.entries.length === 0 || log.size >= page.head) return true;
  }
}

interface Page {
  entries?: { author: string; clientOffset: string; serverOffset: number }[];
  head: number;
  error?: { code: string };
}
