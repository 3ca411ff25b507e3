/**
 * A thread that has the database open, as seen from the main one: calls go in, answers come back in order, a thread that
 * died is replaced.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { kinds } from '../../../shared/kinds.ts';
import { Unavailable, Unusable } from '../port.ts';
import type {
  Answer,
  Arguments,
  FromDatabase,
  Group,
  Method,
  Role,
  ThreadData,
  ToDatabase,
} from './calls.ts';
import { Damaged } from './database.ts';
import { withoutWatching } from './environment.ts';

export interface Thread {
  /** Rejects with `Unavailable` when the thread is not there, or dies before it answers. */
  call<G extends Group, M extends Method<G>>(
    group: G,
    method: M,
    ...args: Arguments<G, M>
  ): Promise<Answer<G, M>>;
  epoch(): string;
  /** Of the first opening: see `Opened`. */
  readonly isChecked: boolean;
  isRunning(): boolean;
  /** Answers what was asked before, then ends. Resolves with whether everything stands in the file itself. */
  close(): Promise<boolean>;
}

export interface ThreadOptions {
  file: string;
  role: Role;
  /** At the start; after a death nothing is known. */
  isKnownWhole: boolean;
  /** The thread starts at once, which takes a while, and opens the file when this resolves. */
  mayOpen: Promise<void>;
  log: Pick<Logger, 'warn' | 'error'>;
  /** The file is open again, after a death. */
  onRestart(isChecked: boolean): void;
  /** The file was found damaged when a thread that had died was to open it again. */
  onDamage(error: Damaged): void;
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

/** Rejects with `Unusable` when the file cannot be used at all, and with what `mayOpen` rejects with. */
export async function startThread(options: ThreadOptions): Promise<Thread> {
  const { file, role, mayOpen, log, onRestart, onDamage } = options;
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let epoch = '';
  let state: State = { tag: 'closed' };
  let ended: Promise<void> = Promise.resolve();
  let isComplete = false;
  const isChecked = await start(options.isKnownWhole);

  /** A new worker that has opened the file; what the old one knew is gone with it. */
  async function start(isKnownWhole: boolean): Promise<boolean> {
    const opening = Promise.withResolvers<Extract<FromDatabase, { tag: 'opened' }>>();
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { file, role, isKnownWhole, kinds: kinds() } satisfies ThreadData,
      name: `sqlite ${role}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      env: withoutWatching(process.env),
    });
    worker.on('error', (error) => {
      log.error({ err: error, role }, 'a database thread died');
      opening.reject(error as Error);
    });
    worker.on('message', (message: FromDatabase) => {
      if (message.tag === 'opened') opening.resolve(message);
      else if (message.tag === 'closed') isComplete = message.isComplete;
      else if (message.tag === 'unusable') opening.reject(unusable(message));
      else settle(message);
    });
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const died = exited.then(() =>
      opening.reject(new Error('the database thread ended before it was ready')),
    );
    mayOpen.then(
      () => worker.postMessage({ tag: 'open' } satisfies ToDatabase),
      (error: unknown) => {
        opening.reject(error);
        void worker.terminate();
      },
    );
    const opened = await opening.promise;
    epoch = opened.epoch;
    state = { tag: 'running', worker };
    ended = died.then(gone);
    return opened.isChecked;
  }

  function gone(): void {
    for (const { reject } of waiting.values())
      reject(new Unavailable('The database stopped before it answered.'));
    waiting.clear();
    if (state.tag !== 'running') return;
    isComplete = false;
    comeBack();
  }

  function comeBack(): void {
    log.warn({ file, role }, 'starting a database thread again');
    state = { tag: 'down', timer: undefined, attempt: restart() };
  }

  async function restart(): Promise<void> {
    try {
      onRestart(await start(false));
    } catch (error) {
      if (error instanceof Damaged) return onDamage(error);
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

  async function close(): Promise<boolean> {
    if (state.tag === 'down') {
      clearTimeout(state.timer);
      await state.attempt;
      if (state.tag === 'down') clearTimeout(state.timer);
    }
    if (state.tag === 'running') state.worker.postMessage({ tag: 'close' } satisfies ToDatabase);
    state = { tag: 'closed' };
    await ended;
    return isComplete;
  }

  return { call, close, epoch: () => epoch, isChecked, isRunning: () => state.tag === 'running' };
}

function unusable({ message, isDamaged }: Extract<FromDatabase, { tag: 'unusable' }>): Unusable {
  return isDamaged ? new Damaged(message) : new Unusable(message);
}
