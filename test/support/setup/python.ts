/** A Python with python-socketio: a client of the protocol that none of us wrote. */
import { ROOT } from '../tools.ts';
import { pythonWith } from './venv.ts';

/** The path of its interpreter; made on the first call, kept as long as the requirements stay the same. */
export function pythonForTests(): Promise<string> {
  return pythonWith('python-socketio', `${ROOT}/test/interop/requirements.txt`);
}
