/** Python virtual environments, one per list of requirements. Created once, safe against concurrent creation. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { ROOT, run } from '../tools.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

/**
 * Returns the path of an interpreter that has the packages of `requirements`. It is cached under node_modules/.cache/`name`
 * until the list changes. Run its modules by `python -m`: the scripts beside it contain the path of a temporary folder.
 */
export async function pythonWith(name: string, requirements: string): Promise<string> {
  const wanted = createHash('sha256').update(await readFile(requirements));
  const home = `${ROOT}/node_modules/.cache/${name}/${wanted.digest('hex').slice(0, 8)}`;
  const python = `${home}/bin/python3`;
  if (existsSync(python)) return python;
  const draft = `${home}.${process.pid}`;
  try {
    if (!(await installFromOutside(draft, requirements))) {
      await makeEnvironment(draft);
      await install(draft, name, requirements);
    }
    await publish(draft, home);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return python;
}

/**
 * By the pip of the Python that is here: an environment without a pip of its own takes a third of the time. False where there
 * is none, or where it cannot (before pip 22.3).
 */
async function installFromOutside(draft: string, requirements: string): Promise<boolean> {
  if (!(await venv(draft, 'python3', '--without-pip'))) return false;
  const pip = ['-m', 'pip', '--python', `${draft}/bin/python3`, '--disable-pip-version-check', 'install'];
  // Python compiles what is imported, on the first import: most is not.
  return (await run('python3', [...pip, '--quiet', '--no-compile', '-r', requirements])).code === 0;
}

async function makeEnvironment(draft: string): Promise<void> {
  if (await venv(draft)) return;
  if (
    mayInstall() &&
    (await aptInstall('python3', 'python3-venv')) &&
    (await venv(draft, '/usr/bin/python3'))
  )
    return;
  throw new CannotSetUp(
    'The tests need Python 3 with venv, which is not here: `sudo apt-get install python3 python3-venv` installs it.',
  );
}

async function venv(home: string, python = 'python3', ...options: string[]): Promise<boolean> {
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  return (await run(python, ['-m', 'venv', ...options, home])).code === 0;
}

async function install(draft: string, name: string, requirements: string): Promise<void> {
  const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '--quiet', '-r', requirements];
  const { code, output } = await run(`${draft}/bin/python3`, pip);
  if (code === 0) return;
  const reason = output.trim().split('\n').at(-1) ?? '';
  throw new CannotSetUp(
    `${name} could not be installed: ${reason}; try \`python3 -m pip download -r ${requirements}\` to see why.`,
  );
}

/** The folder is renamed to its final name in one step, so it is complete if it exists. Another process may have been first. */
async function publish(draft: string, home: string): Promise<void> {
  await rename(draft, home).catch(async (error: unknown) => {
    if (existsSync(`${home}/bin/python3`)) return;
    if (!existsSync(home)) throw error;
    await rm(home, { recursive: true, force: true }); // its Python was removed from the system
    await rename(draft, home);
  });
}
