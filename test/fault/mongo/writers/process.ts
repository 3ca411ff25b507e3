/** A writer process in its parent: sends requests, and can stop, kill and restart it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Committed, LogStore } from '../../../../server/store/port.ts';
import { dieTogether } from '../../../support/orphans.ts';
import { pauseProcess, resumeProcess } from '../../../support/pause.ts';
import { waitFor } from '../../../support/waitFor.ts';
import type { Answer, Call, Said } from './messages.ts';

export interface WriterProcess extends AsyncDisposable {
  readonly name: string;
  /** Undefined if the process was killed before it answered, or the database was unavailable. */
  ask<C extends Call>(call: C, ...args: Parameters<LogStore[C]>): Promise<Answer<C> | undefined>;
  pause(): Promise<void>;
  resume(): void;
  kill9(): Promise<void>;
  start(): Promise<void>;
  /** Its output: warnings of the store, and the reason if it ended by itself. */
  logs(): string;
}

export interface TailWatcher {
  /** Called after a start: the new tail may begin at any entry. */
  onOpen(): void;
  onBatch(batch: Committed[]): void;
  onGap(): void;
  /** Called if it ended by itself after it was open. */
  onCrash(): void;
}

const OPEN_WITHIN_MS = 60_000;

/** `program`: the program to run, for instance the child.ts of another version. */
export async function startWriter(
  name: string,
  url: string,
  watcher: TailWatcher,
  program = `${import.meta.dirname}/child.ts`,
): Promise<WriterProcess> {
  let life: Life | undefined;
  let logs = '';
  const onText = (text: string) => {
    logs = (logs + text).slice(-20_000);
  };
  const kill9 = async () => {
    const dying = life;
    life = undefined;
    await dying?.kill9();
  };
  const start = async () => {
    // If the database is unavailable at the start, it exits with an error, as the server does, and is started again.
    life = await waitFor(`${name} is open`, () => openLife(program, url, watcher, onText), OPEN_WITHIN_MS);
  };
  await start();
  return {
    name,
    ask: (call, ...args) => life?.ask(call, args) ?? Promise.resolve(undefined),
    pause: async () => {
      if (life?.isAlive()) await pauseProcess(life.pid);
    },
    resume: () => {
      if (life?.isAlive()) resumeProcess(life.pid);
    },
    kill9,
    start,
    logs: () => logs,
    [Symbol.asyncDispose]: kill9,
  };
}

interface Life {
  readonly pid: number;
  isAlive(): boolean;
  ask<C extends Call>(call: C, args: unknown[]): Promise<Answer<C> | undefined>;
  kill9(): Promise<void>;
}

/** Resolves with undefined if it ended before it was open. */
async function openLife(
  program: string,
  url: string,
  watcher: TailWatcher,
  onText: (text: string) => void,
): Promise<Life | undefined> {
  const child = fork(program, [url], {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  dieTogether(child);
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', onText);
  const waiting = new Map<number, (value: unknown) => void>();
  const opened = Promise.withResolvers<boolean>();

  watcher.onOpen();
  child.on('message', (said: Said) => {
    switch (said.say) {
      case 'open':
        return opened.resolve(true);
      case 'tail':
        return watcher.onBatch(said.batch);
      case 'gap':
        return watcher.onGap();
      default:
        waiting.get(said.id)?.(said.say === 'answer' ? said.value : undefined);
        waiting.delete(said.id);
    }
  });
  child.on('error', () => {}); // a request after it was killed
  let isOpen = false;
  child.on('exit', (_code, signal) => {
    if (isOpen && signal !== 'SIGKILL') watcher.onCrash();
    opened.resolve(false);
    for (const resolve of waiting.values()) resolve(undefined);
    waiting.clear();
  });

  isOpen = await opened.promise;
  if (!isOpen) return undefined;
  let lastId = 0;
  return {
    pid: child.pid!,
    isAlive: () => !hasEnded(child),
    ask: (call, args) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      if (!child.connected) return Promise.resolve(undefined);
      waiting.set(++lastId, resolve);
      child.send({ id: lastId, call, args });
      return promise as Promise<Answer<typeof call> | undefined>;
    },
    kill9: async () => {
      child.kill('SIGKILL');
      if (!hasEnded(child)) await once(child, 'exit');
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
