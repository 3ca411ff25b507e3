/** Installs packages for the tests: only as root on Debian. Elsewhere an error says what to install. */
import { existsSync } from 'node:fs';
import { run } from '../tools.ts';

/** Something is missing and cannot be installed. The message is one sentence with the command that installs it. */
export class CannotSetUp extends Error {}

export function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

/** True if apt-get has installed it. */
export async function aptInstall(...packages: string[]): Promise<boolean> {
  console.log(`apt-get install ${packages.join(' ')} …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env }); // if it fails, the existing lists may suffice
  const { code, output } = await run(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
    { env },
  );
  if (code !== 0) console.log(output.trim().split('\n').slice(-5).join('\n'));
  return code === 0;
}
