/** Makes sure that no child process outlives its test, even if the test is killed. */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Kills `child` with SIGKILL when this process ends for any reason: a shell waits for the end of a pipe that only this process
 * holds open. Also kills a stopped child. `group`: kills the whole process group that the child leads.
 */
export function dieTogether(child: ChildProcess, ends: 'itself' | 'group' = 'itself'): void {
  const whom = ends === 'group' ? `-${child.pid}` : `${child.pid}`;
  const watcher = spawn('sh', ['-c', 'trap "" INT TERM HUP; read -r _; kill -9 "$0"', whom], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.stdin.on('error', () => {}); // it has ended already
  watcher.unref();
  child.once('exit', () => watcher.kill('SIGKILL')); // before its pid can be reused
}
