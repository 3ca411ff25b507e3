/** Runs test/interop/client.py as a process: one JSON command in, one JSON answer out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pythonForTests } from './setup/python.ts';
import { ROOT } from './tools.ts';

export interface PythonClient extends AsyncDisposable {
  // biome-ignore lint/suspicious/noExplicitAny: data from the wire through another language; the tests check it
  tell(command: { do: string; [key: string]: unknown }): Promise<any>;
}

export async function startPythonClient(url: string): Promise<PythonClient> {
  const child = spawn(await pythonForTests(), [`${ROOT}/test/interop/client.py`, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async tell(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`the Python client ended during ${JSON.stringify(command)}`);
      return JSON.parse(value);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
