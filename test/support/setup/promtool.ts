/** Provides promtool, which checks metrics, alert rules and their tests: Debian has it in the package of Prometheus. */
import { run } from '../tools.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

export async function promtoolForTests(): Promise<void> {
  if (await isHere()) return;
  if (mayInstall() && (await aptInstall('prometheus')) && (await isHere())) return;
  throw new CannotSetUp(
    'The tests of metrics and alerts need promtool, which is not here: `sudo apt-get install prometheus` installs it.',
  );
}

async function isHere(): Promise<boolean> {
  return (await run('promtool', ['--version'])).code === 0;
}
