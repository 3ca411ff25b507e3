/** Provides a Python with python-socketio, an independent client of the protocol. */
import { ROOT } from '../tools.ts';
import { pythonWith } from './venv.ts';

/** Returns the path of its interpreter. Created on the first call, cached until the requirements change. */
export function pythonForTests(): Promise<string> {
  return pythonWith('python-socketio', `${ROOT}/test/interop/requirements.txt`);
}
