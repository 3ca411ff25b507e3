/** Provides openssl, which creates the test certificates: a private key in the repository would look like a leak. */
import { run } from '../tools.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

export async function opensslForTests(): Promise<void> {
  if (await isHere()) return;
  if (mayInstall() && (await aptInstall('openssl')) && (await isHere())) return;
  throw new CannotSetUp(
    'The tests of HTTPS need openssl, which is not here: `sudo apt-get install openssl` installs it.',
  );
}

async function isHere(): Promise<boolean> {
  return (await run('openssl', ['version'])).code === 0;
}
