/** SIGSTOP: a process that is there and does nothing, as behind a long pause or on a machine that sleeps. */
import { readdir, readFile } from 'node:fs/promises';
import { run } from './tools.ts';
import { waitFor } from './waitFor.ts';

/** Resolves when it has stopped: the signal is only sent when `kill` returns. SIGCONT lets it go on. */
export async function pauseProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await waitFor('it has stopped', async () => (await statesOf(pid)).every((state) => state.startsWith('T')));
}

export function resumeProcess(pid: number): void {
  process.kill(pid, 'SIGCONT');
}

/** Of each of its threads where the system shows them, which stop one after the other. */
async function statesOf(pid: number): Promise<string[]> {
  if (process.platform !== 'linux')
    return [(await run('ps', ['-o', 'state=', '-p', `${pid}`])).output.trim()];
  const threads = await readdir(`/proc/${pid}/task`);
  const stat = (thread: string) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ') T');
  return (await Promise.all(threads.map(stat))).map((text) => text.slice(text.lastIndexOf(')') + 2));
}
