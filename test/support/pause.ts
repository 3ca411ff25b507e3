/** Stops a process with SIGSTOP, as in a long GC pause or on a sleeping machine. */
import { readdir, readFile } from 'node:fs/promises';
import { run } from './tools.ts';
import { waitFor } from './waitFor.ts';

/** Resolves when the process has stopped, which is later than `kill` returns. SIGCONT resumes it. */
export async function pauseProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await waitFor('it has stopped', async () => (await statesOf(pid)).every((state) => state.startsWith('T')));
}

export function resumeProcess(pid: number): void {
  process.kill(pid, 'SIGCONT');
}

/** The states of all threads, where the system shows them: they stop one after another. */
async function statesOf(pid: number): Promise<string[]> {
  if (process.platform !== 'linux')
    return [(await run('ps', ['-o', 'state=', '-p', `${pid}`])).output.trim()];
  const threads = await readdir(`/proc/${pid}/task`);
  const stat = (thread: string) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ') T');
  return (await Promise.all(threads.map(stat))).map((text) => text.slice(text.lastIndexOf(')') + 2));
}
