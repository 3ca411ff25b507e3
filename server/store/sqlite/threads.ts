/**
 * The two threads that have the database open (databaseThread.ts), as the main thread sees them: one writes, one reads. Calls
 * wait on this side for the thread that answers them (calls.ts), so that what nobody waits for any more is not begun, and
 * appends go first. A thread that died is replaced.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { kinds } from '../../../shared/kinds.ts';
import { STORE_CALLS_WAITING } from '../../base/serverLimits.ts';
import { throttled } from '../../base/throttled.ts';
import { createCallQueue, type Lane, type QueueState } from '../callQueue.ts';
import { Unavailable, Unusable } from '../port.ts';
import {
  ANSWERED_BY,
  type Arguments,
  type Call,
  type CallMessage,
  type CallResult,
  type FromDatabase,
  type Group,
  laneOf,
  type Method,
  type Reply,
  type Role,
  type StoreGroup,
  type ThreadData,
  type ToDatabase,
} from './calls.ts';
import { Damaged } from './connections.ts';
import { Moved } from './movedFile.ts';
import { withoutWatching } from './processes.ts';

export interface Threads {
  /** Rejects with `Unavailable` when the thread is down, or dies before it answers, or where the call waits for too long. */
  call: Call<StoreGroup>;
  /** The calls that wait for each thread. */
  waiting(): Record<Role, QueueState>;
  /** Rejects with `Unavailable` unless both threads answer. */
  ping(): Promise<void>;
  epoch(): string;
  /** Of the first opening: false where the pages of the file still have to be checked. */
  readonly isChecked: boolean;
  /** False while nothing can be written. */
  isWriting(): boolean;
  /** Answers the calls made before, then ends. Resolves with false where commits are still in the WAL file. */
  close(): Promise<boolean>;
}

export interface ThreadOptions {
  file: string;
  role: Role;
  /** For the first opening only: after a death nothing is known of the file. */
  isKnownWhole: boolean;
  /** The thread starts at once, which takes a while, and opens the file when this resolves. */
  mayOpen: Promise<void>;
  log: Pick<Logger, 'warn' | 'error'>;
  /** Called when the file is open again after a death. */
  onRestart(isChecked: boolean): void;
  /** Called when the file is found damaged at such a reopening. */
  onDamage(error: Damaged): void;
  /** Called when another process has moved what is in the file to MongoDB. */
  onMoved(error: Moved): void;
  /** Called after each start of the writer, and when another process begins to copy the file, or gives that up. */
  onMoving(isMoving: boolean): void;
}

/** The writer opens first, since it creates the file. Rejects with `Unusable`. */
export async function startThreads(options: Omit<ThreadOptions, 'role' | 'mayOpen'>): Promise<Threads> {
  const writing = startThread({ ...options, role: 'writer', mayOpen: Promise.resolve() });
  const mayOpen = writing.then(() => {});
  const reading = startThread({ ...options, role: 'reader', mayOpen });
  const [writer, reader] = await bothOf(writing, reading);
  const threads: Record<Role, Thread> = { writer, reader };
  let isClosed = false;

  return {
    call: (group, method, ...args) => {
      if (isClosed) return Promise.reject(new Unavailable('The database is closed.'));
      return threads[roleOf(group, method)].call(group, method, ...args);
    },
    waiting: () => ({ writer: writer.waiting(), reader: reader.waiting() }),
    async ping() {
      await Promise.all([writer.call('database', 'ping'), reader.call('database', 'ping')]);
    },
    epoch: () => writer.epoch(),
    isChecked: writer.isChecked,
    isWriting: () => writer.isRunning(),
    async close() {
      isClosed = true;
      await reader.close(); // the last connection to close checkpoints the WAL file
      return writer.close();
    },
  };
}

/** Where one thread cannot open the file, the other one is closed again. */
async function bothOf(writing: Promise<Thread>, reading: Promise<Thread>): Promise<[Thread, Thread]> {
  const [writer, reader] = await Promise.allSettled([writing, reading]);
  if (writer.status === 'rejected') throw writer.reason;
  if (reader.status === 'fulfilled') return [writer.value, reader.value];
  await writer.value.close();
  throw reader.reason;
}

function roleOf<G extends StoreGroup>(group: G, method: Method<G>): Role {
  return (ANSWERED_BY[group] as Record<Method<G>, Role>)[method];
}

interface Thread extends Pick<Threads, 'epoch' | 'isChecked' | 'close'> {
  call: Call;
  waiting(): QueueState;
  isRunning(): boolean;
}

type State =
  | { tag: 'running'; worker: Worker }
  /** Between a death and the next start. `attempt` settles when the current try to start is over. */
  | { tag: 'down'; timer: NodeJS.Timeout | undefined; attempt: Promise<void> }
  | { tag: 'closed' };

interface PendingCall {
  lane: Lane;
  // biome-ignore lint/suspicious/noExplicitAny: as many types as there are calls
  resolve(value: any): void;
  reject(error: Error): void;
}

/** Size of the heap for short-lived objects: by default a thread collects some 10 MB more garbage before it frees any. */
const YOUNG_GENERATION_MB = 4;

/** A disk that is full or gone may come back: the file is tried again at this interval. */
const RESTART_EVERY_MS = 1_000;
/** Each write fails then, and the log may be on the same disk. */
const FULL_SAID_EVERY_MS = 60_000;

/**
 * How many calls a thread has at a time. The others wait on this side, where they can still be rejected, and be overtaken.
 * The writer gets its next call when it has answered: so an append waits for one other call at most, and a lookup of a key
 * never overtakes an append that was asked before. The reader gets more, since waking it for each short read costs more than
 * the read: measured with one, 5,000 reads a second, with 32 as many as without a bound, 30,000. Of the long ones two, so
 * that it always has one: beside 20 callers of 200 entries each, a short read takes 2.3 ms instead of 26.
 */
const MOST_UNDER_WAY: Record<Role, Record<Lane | 'inAll', number>> = {
  writer: { first: 1, later: 1, inAll: 1 },
  reader: { first: 32, later: 2, inAll: Number.POSITIVE_INFINITY },
};

/** Rejects with `Unusable` when the file cannot be used, and with the reason of `mayOpen` when that rejects. */
async function startThread(options: ThreadOptions): Promise<Thread> {
  const { file, role, mayOpen, log, onRestart, onDamage, onMoving, onMoved } = options;
  const pending = new Map<number, PendingCall>();
  const queue = createCallQueue({ mostUnderWay: MOST_UNDER_WAY[role], mostWaiting: STORE_CALLS_WAITING });
  const collected: CallMessage[] = [];
  let lastId = 0;
  let epoch = '';
  let state: State = { tag: 'closed' };
  let ended: Promise<void> = Promise.resolve();
  let isComplete = false;
  const sayFull = throttled(FULL_SAID_EVERY_MS, (path: string) =>
    log.error(
      `There is no space left on the disk of ${path}: nothing new is stored until some is freed. The apps keep what is written, and send it then.`,
    ),
  );
  const isChecked = await start(options.isKnownWhole);

  /** Starts a new worker; resolves when it has opened the file. */
  async function start(isKnownWhole: boolean): Promise<boolean> {
    const opening = Promise.withResolvers<Extract<FromDatabase, { tag: 'opened' }>>();
    const worker = new Worker(new URL('./databaseThread.ts', import.meta.url), {
      workerData: { file, role, isKnownWhole, kinds: kinds() } satisfies ThreadData,
      name: `sqlite ${role}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      env: withoutWatching(process.env),
    });
    worker.on('error', (error) => {
      log.error({ err: error, role }, 'a database thread died');
      opening.reject(error as Error);
    });
    worker.on('message', (message: FromDatabase) => {
      if (message.tag === 'opened') opening.resolve(message);
      else if (message.tag === 'closed') isComplete = message.isComplete;
      else if (message.tag === 'unusable') opening.reject(errorOf(message));
      else if (message.tag === 'moving') onMoving(message.isMoving);
      else if (message.tag === 'moved') onMoved(new Moved(message.message));
      else for (const reply of message.replies) settle(reply);
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
    ended = died.then(onExit);
    return opened.isChecked;
  }

  function onExit(): void {
    for (const { reject } of pending.values())
      reject(new Unavailable('The database stopped before it answered.'));
    pending.clear();
    collected.length = 0;
    if (state.tag === 'running') {
      isComplete = false;
      startAgain();
    }
    queue.clear('The database is not open.');
  }

  function startAgain(): void {
    log.warn({ file, role }, 'starting a database thread again');
    state = { tag: 'down', timer: undefined, attempt: restart() };
  }

  async function restart(): Promise<void> {
    try {
      onRestart(await start(false));
    } catch (error) {
      if (error instanceof Damaged) return onDamage(error);
      if (error instanceof Moved) return onMoved(error);
      log.error({ err: error }, 'the database cannot be opened; trying again');
      if (state.tag === 'down') state.timer = setTimeout(startAgain, RESTART_EVERY_MS);
    }
  }

  function settle(message: Reply): void {
    const caller = pending.get(message.id);
    pending.delete(message.id);
    if (caller) queue.ended(caller.lane);
    if (message.tag === 'answer') caller?.resolve(message.value);
    else if (message.kind === 'refused') caller?.reject(new Error(message.message));
    else {
      if (message.isFull) sayFull(file);
      else log.error({ kind: message.kind }, `the database: ${message.message}`);
      caller?.reject(new Unavailable('The database cannot do that now.'));
    }
  }

  function call<G extends Group, M extends Method<G>>(group: G, method: M, ...args: Arguments<G, M>) {
    return new Promise<CallResult<G, M>>((resolve, reject) => {
      if (state.tag !== 'running') throw new Unavailable('The database is not open.');
      const lane = laneOf(group, method);
      const begin = () => {
        if (state.tag !== 'running') throw new Unavailable('The database is not open.');
        const id = ++lastId;
        pending.set(id, { lane, resolve, reject });
        post({ tag: 'call', id, group, method, args } as unknown as CallMessage, lane);
      };
      queue.add(lane, begin, reject);
    });
  }

  /** Short reads of one turn of the event loop are one message: passing one costs as much as a read. */
  function post(asked: CallMessage, lane: Lane): void {
    if (role === 'writer' || lane === 'later') send([asked]);
    else if (collected.push(asked) === 1) setImmediate(() => send(collected.splice(0)));
  }

  function send(calls: CallMessage[]): void {
    if (state.tag === 'running') state.worker.postMessage({ tag: 'calls', calls } satisfies ToDatabase);
  }

  async function close(): Promise<boolean> {
    await queue.idle();
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

  return {
    call,
    waiting: queue.state,
    close,
    epoch: () => epoch,
    isChecked,
    isRunning: () => state.tag === 'running',
  };
}

function errorOf({ message, why }: Extract<FromDatabase, { tag: 'unusable' }>): Unusable {
  const Reason = why === 'damaged' ? Damaged : why === 'moved' ? Moved : Unusable;
  return new Reason(message);
}
