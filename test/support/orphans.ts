/** No process of a test outlives it, even when it is killed. */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends `child` with SIGKILL when this process is gone, however it goes: a shell waits for the end of a pipe that only we
 * hold open. A child that a signal has stopped is ended too. `group`: and all others of the process group it leads.
 */
export function dieTogether(child: ChildProcess, ends: 'itself' | 'group' = 'itself'): void {
  const whom = ends === 'group' ? `-${child.pid}` : `${child.pid}`;
  const watcher = spawn('sh', ['-c', 'trap "" INT TERM HUP; read -r _; kill -9 "$0"', whom], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.stdin.on('error', () => {}); // it was ended first
  watcher.unref();
  child.once('exit', () => watcher.kill('SIGKILL')); // before its number can be another process's
}
