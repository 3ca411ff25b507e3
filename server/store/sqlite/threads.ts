/** The two threads that have the database open, and which of them answers a call. */
import { Unavailable } from '../port.ts';
import {
  ANSWERED_BY,
  type Answer,
  type Arguments,
  type Method,
  type Role,
  type StoreGroup,
} from './calls.ts';
import { startThread, type Thread, type ThreadOptions } from './thread.ts';

export interface Threads {
  /** Rejects with `Unavailable` when the thread is not there, or dies before it answers. */
  call<G extends StoreGroup, M extends Method<G>>(
    group: G,
    method: M,
    ...args: Arguments<G, M>
  ): Promise<Answer<G, M>>;
  /** Rejects with `Unavailable` unless both threads answer. */
  ping(): Promise<void>;
  epoch(): string;
  /** Of the first opening: false where the pages of the file are still to be checked. */
  readonly isChecked: boolean;
  /** False while nothing can be written. */
  isWriting(): boolean;
  /** Answers what was asked before, then ends. Resolves with whether everything stands in the file itself. */
  close(): Promise<boolean>;
}

/** The writer opens first, since it makes the file. Rejects with `Unusable`. */
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
    async ping() {
      await Promise.all([writer.call('database', 'ping'), reader.call('database', 'ping')]);
    },
    epoch: () => writer.epoch(),
    isChecked: writer.isChecked,
    isWriting: () => writer.isRunning(),
    async close() {
      isClosed = true;
      await reader.close(); // the last connection takes the log of changes into the file
      return writer.close();
    },
  };
}

/** Where one does not open, the other does not stay open. */
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
