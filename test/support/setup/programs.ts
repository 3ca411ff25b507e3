/** Provides small programs of Debian's packages that tests run. */
import { run } from '../tools.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

/** It creates the test certificates: a private key in the repository would look like a leak. */
export const opensslForTests = () =>
  provide({ program: ['openssl', 'version'], inPackage: 'openssl', tests: 'tests of HTTPS' });

/** It checks metrics, alert rules and their tests. */
export const promtoolForTests = () =>
  provide({
    program: ['promtool', '--version'],
    inPackage: 'prometheus',
    tests: 'tests of metrics and alerts',
  });

interface Wanted {
  /** With the argument that makes it say its version. */
  program: readonly [name: string, version: string];
  /** Of Debian. */
  inPackage: string;
  /** Those that need it, for the error. */
  tests: string;
}

async function provide({ program: [name, version], inPackage, tests }: Wanted): Promise<void> {
  const isHere = async () => (await run(name, [version])).code === 0;
  if (await isHere()) return;
  if (mayInstall() && (await aptInstall(inPackage)) && (await isHere())) return;
  throw new CannotSetUp(
    `The ${tests} need ${name}, which is not here: \`sudo apt-get install ${inPackage}\` installs it.`,
  );
}
