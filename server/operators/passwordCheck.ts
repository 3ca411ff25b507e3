/**
 * Compares a password with a bcrypt hash, in a thread of its own: bcryptjs is JavaScript, and would hold up the event loop by
 * 0.1 s at a time. The same file is the thread.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface Comparison {
  password: string;
  hash: string;
}

if (!isMainThread && isComparison(workerData)) {
  const { default: bcrypt } = await import('bcryptjs');
  parentPort?.postMessage(bcrypt.compareSync(workerData.password, workerData.hash));
}

/** Rejects where no thread can be started. */
export function isPassword(password: string, hash: string): Promise<boolean> {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { password, hash } satisfies Comparison,
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('The thread ended without an answer.')));
  });
}

function isComparison(data: unknown): data is Comparison {
  return typeof data === 'object' && data !== null && 'password' in data && 'hash' in data;
}
