/** A Python with python-socketio, in a virtual environment of our own: a client of the protocol that none of us wrote. */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { ROOT, run } from '../tools.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

const REQUIREMENTS = `${ROOT}/test/interop/requirements.txt`;
const HOME = `${ROOT}/node_modules/.cache/python`;
const PYTHON = `${HOME}/bin/python3`;
const INSTALLED = `${HOME}/requirements.txt`;

/** The path of its interpreter; made on the first call, kept as long as the requirements stay the same. */
export async function pythonForTests(): Promise<string> {
  const wanted = await readFile(REQUIREMENTS, 'utf8');
  if (existsSync(INSTALLED) && (await readFile(INSTALLED, 'utf8')) === wanted) return PYTHON;
  await makeEnvironment();
  const { code, output } = await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS]);
  if (code !== 0)
    throw new CannotSetUp(
      `python-socketio could not be installed: ${lastLine(output)}; try \`${PYTHON} -m pip install -r ${REQUIREMENTS}\`.`,
    );
  await writeFile(INSTALLED, wanted);
  return PYTHON;
}

async function makeEnvironment(): Promise<void> {
  if (await venv()) return;
  if (mayInstall() && (await aptInstall('python3', 'python3-venv')) && (await venv('/usr/bin/python3')))
    return;
  throw new CannotSetUp(
    'The tests of other clients need Python 3 with venv, which is not here: `sudo apt-get install python3 python3-venv` installs it.',
  );
}

async function venv(python = 'python3'): Promise<boolean> {
  await rm(HOME, { recursive: true, force: true });
  return (await run(python, ['-m', 'venv', HOME])).code === 0;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
