/** Installing what the tests need: only as root on Debian is it done here; elsewhere a sentence says how. */
import { existsSync } from 'node:fs';
import { run } from '../tools.ts';

/** What could not be had. The message is one sentence with the command that would get it. */
export class CannotSetUp extends Error {}

export function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

/** True when apt-get has installed it. */
export async function aptInstall(...packages: string[]): Promise<boolean> {
  console.log(`apt-get install ${packages.join(' ')} …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env }); // where it fails, the lists that are there may do
  const { code, output } = await run(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
    { env },
  );
  if (code !== 0) console.log(output.trim().split('\n').slice(-5).join('\n'));
  return code === 0;
}
