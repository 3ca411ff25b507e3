/** The real server as a process that can be killed and restarted on the same data and port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { dieTogether } from './orphans.ts';
import { pauseProcess, resumeProcess } from './pause.ts';
import { temporaryFolder } from './tmp.ts';
import { ROOT } from './tools.ts';
import { waitFor } from './waitFor.ts';

export interface ServerProcess extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https with TLS_CERT_FILE; the same after restarts. */
  readonly url: string;
  readonly port: number;
  /** The folder of its database. */
  readonly data: string;
  /** All output so far, of all runs. */
  logs(): string;
  /** Throws while it does not run. */
  pid(): number;
  isAlive(): boolean;
  /** SIGKILL, like a power cut. */
  kill9(): Promise<void>;
  /** SIGSTOP: connections stay open, requests are not answered. */
  pause(): Promise<void>;
  resume(): void;
  /** SIGHUP: reads the TLS files again. */
  hangUp(): void;
  /** Stops it with SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Starts it again after `kill9` or `stop`; resolves when it is ready. */
  start(): Promise<void>;
  /** Stops the server and removes its data if the folder was created here. */
  dispose(): Promise<void>;
}

interface ServerOptions {
  env?: Record<string, string>;
  /** An existing folder, which is kept on dispose. */
  data?: string;
}

/** Starts the server on a free port of the loopback interface; resolves when `/readyz` is ready. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const own = options.data === undefined ? await temporaryFolder() : undefined;
  const data = options.data ?? own!.path;
  const scheme = options.env?.TLS_CERT_FILE === undefined ? 'http' : 'https';
  let child: ChildProcess | undefined;
  let port = 0;
  let logs = '';

  const start = async () => {
    const life = spawnServer({ ...options.env, DATA: data, PORT: String(port) }, (text) => {
      logs += text;
    });
    child = life;
    const printedFrom = logs.length;
    const whileItLives =
      <T>(look: () => T) =>
      () => {
        if (life.exitCode !== null || life.signalCode !== null) throw new Error(`the server ended:\n${logs}`);
        return look();
      };
    const said = whileItLives(() => portIn(logs.slice(printedFrom)));
    port = await waitFor('the server says where it is open', said);
    await waitFor(
      'the server is ready',
      whileItLives(() => isReady(`${scheme}://127.0.0.1:${port}`)),
    );
  };

  const end = async (signal: NodeJS.Signals) => {
    const dying = child;
    child = undefined;
    if (dying === undefined) return null;
    dying.kill(signal);
    if (dying.exitCode === null && dying.signalCode === null) await once(dying, 'exit');
    return dying.exitCode;
  };

  const dispose = async () => {
    await end('SIGKILL');
    await own?.remove();
  };

  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    data,
    logs: () => logs,
    pid: () => pidOf(child),
    isAlive: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    kill9: async () => void (await end('SIGKILL')),
    pause: () => pauseProcess(pidOf(child)),
    resume: () => resumeProcess(pidOf(child)),
    hangUp: () => process.kill(pidOf(child), 'SIGHUP'),
    stop: () => end('SIGTERM'),
    start,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Starts a server that need not become ready. */
export function startUnreadyServer(env: Record<string, string>): {
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null; output: string }>;
} {
  let output = '';
  const child = spawnServer({ PORT: '0', ...env }, (text) => {
    output += text;
  });
  const impatience = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    clearTimeout(impatience);
    return { code: code ?? null, output };
  });
  return { kill: (signal) => void child.kill(signal), ended };
}

/** NODE_OPTIONS with which SIGTERM comes when the server is about to open its port. */
export const STOPPED_AT_THE_PORT = `--import data:text/javascript,${encodeURIComponent(`
  import { Server } from 'node:net';
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...how) {
    process.emit('SIGTERM');
    return listen.apply(this, how);
  };`)}`;

/** Runs the server until it exits by itself, for example because it cannot start. */
export function runServerToItsEnd(
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  return startUnreadyServer(env).ended;
}

function spawnServer(env: Record<string, string>, onText: (text: string) => void): ChildProcess {
  const { PATH, NODE_COMPILE_CACHE } = process.env; // the cache: test/run.ts
  const child = spawn(process.execPath, ['server/main.ts'], {
    cwd: ROOT,
    env: { PATH, NODE_COMPILE_CACHE, HOST: '127.0.0.1', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  dieTogether(child);
  child.stdout.setEncoding('utf8').on('data', onText);
  child.stderr.setEncoding('utf8').on('data', onText);
  return child;
}

function pidOf(child: ChildProcess | undefined): number {
  if (child?.pid === undefined) throw new Error('the server is not running');
  return child.pid;
}

function portIn(text: string): number | undefined {
  const found = /Holdfast: open https?:\/\/[^\s/]*:(\d+)/.exec(text);
  return found ? Number(found[1]) : undefined;
}

/** Does not verify certificates: tests make their own. */
function isReady(url: string): Promise<boolean> {
  const get = url.startsWith('https:') ? getHttps : getHttp;
  return new Promise((resolve) => {
    get(`${url}/readyz`, { rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}
