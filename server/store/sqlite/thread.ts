/** The database's thread as seen from the main one: calls go in, answers come back in order, a dead one is replaced. */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { kinds } from '../../../shared/kinds.ts';
import { Unavailable, Unusable } from '../port.ts';
import type { Answer, Arguments, FromDatabase, Group, Method, ToDatabase } from './calls.ts';

export interface Thread {
  /** Rejects with `Unavailable` when the thread is not there, or dies before it answers. */
  call<G extends Group, M extends Method<G>>(
    group: G,
    method: M,
    ...args: Arguments<G, M>
  ): Promise<Answer<G, M>>;
  epoch(): string;
  isRunning(): boolean;
  /** Answers what was asked before, then ends. */
  close(): Promise<void>;
}

export interface ThreadOptions {
  file: string;
  log: Pick<Logger, 'warn' | 'error'>;
  /** The file is open again, after a death. */
  onRestart(): void;
}

type State =
  | { tag: 'running'; worker: Worker }
  /** Between a death and the next start; `retry` is settled when an attempt is over. */
  | { tag: 'down'; timer: NodeJS.Timeout | undefined; attempt: Promise<void> }
  | { tag: 'closed' };

interface Waiting {
  // biome-ignore lint/suspicious/noExplicitAny: as many types as there are calls
  resolve(value: any): void;
  reject(error: Error): void;
}

/** What its answers leave behind: left to itself the thread gathers some 10 MB more before it clears up. */
const YOUNG_MB = 4;

/** A disk that is full or gone may come back: how often the file is tried. */
const RESTART_EVERY_MS = 1_000;

/** Rejects with `Unusable` when the file cannot be used at all. */
export async function startThread({ file, log, onRestart }: ThreadOptions): Promise<Thread> {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let epoch = '';
  let state: State = { tag: 'closed' };
  let ended: Promise<void> = Promise.resolve();
  await start();

  /** A new worker that has opened the file; what the old one knew is gone with it. */
  async function start(): Promise<void> {
    const opening = Promise.withResolvers<string>();
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { file, kinds: kinds() },
      name: 'sqlite',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      env: withoutWatching(process.env),
    });
    worker.on('error', (error) => {
      log.error({ err: error }, 'the database thread died');
      opening.reject(error as Error);
    });
    worker.on('message', (message: FromDatabase) => {
      if (message.tag === 'opened') opening.resolve(message.epoch);
      else if (message.tag === 'unusable') opening.reject(new Unusable(message.message));
      else settle(message);
    });
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const died = exited.then(() =>
      opening.reject(new Error('the database thread ended before it was ready')),
    );
    epoch = await opening.promise;
    state = { tag: 'running', worker };
    ended = died.then(gone);
  }

  function gone(): void {
    for (const { reject } of waiting.values())
      reject(new Unavailable('The database stopped before it answered.'));
    waiting.clear();
    if (state.tag === 'running') comeBack();
  }

  function comeBack(): void {
    log.warn({ file }, 'starting the database thread again');
    state = { tag: 'down', timer: undefined, attempt: restart() };
  }

  async function restart(): Promise<void> {
    try {
      await start();
      onRestart();
    } catch (error) {
      log.error({ err: error }, 'the database cannot be opened; trying again');
      if (state.tag === 'down') state.timer = setTimeout(comeBack, RESTART_EVERY_MS);
    }
  }

  function settle(message: Extract<FromDatabase, { id: number }>): void {
    const caller = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.tag === 'answer') caller?.resolve(message.value);
    else if (message.kind === 'refused') caller?.reject(new Error(message.message));
    else {
      log.error({ kind: message.kind }, `the database: ${message.message}`);
      caller?.reject(new Unavailable('The database cannot do that now.'));
    }
  }

  function call<G extends Group, M extends Method<G>>(group: G, method: M, ...args: Arguments<G, M>) {
    return new Promise<Answer<G, M>>((resolve, reject) => {
      if (state.tag !== 'running') throw new Unavailable('The database is not open.');
      const id = ++lastId;
      state.worker.postMessage({ tag: 'call', id, group, method, args } as unknown as ToDatabase);
      waiting.set(id, { resolve, reject });
    });
  }

  async function close(): Promise<void> {
    if (state.tag === 'down') {
      clearTimeout(state.timer);
      await state.attempt;
      if (state.tag === 'down') clearTimeout(state.timer);
    }
    if (state.tag === 'running') state.worker.postMessage({ tag: 'close' } satisfies ToDatabase);
    state = { tag: 'closed' };
    await ended;
  }

  return { call, close, epoch: () => epoch, isRunning: () => state.tag === 'running' };
}

/** `node --watch` makes a thread tell its imports by messages, as if they were answers. */
function withoutWatching({ WATCH_REPORT_DEPENDENCIES: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}
