/** Describes the machine of the measurement, and the code that is measured. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, type } from 'node:os';
import { ROOT } from '../support/tools.ts';

export interface Machine {
  processor: string;
  cores: number;
  system: string;
  node: string;
  socketIo: string;
}

export function thisMachine(): Machine {
  const processors = cpus();
  const { version } = JSON.parse(readFileSync(`${ROOT}/node_modules/socket.io/package.json`, 'utf8'));
  return {
    processor: processors[0]!.model.trim(),
    cores: processors.length,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    socketIo: version,
  };
}

/** `commit`: undefined where this is no clone. `isChanged`: the files are not those of the commit. */
export interface MeasuredCode {
  commit: string | undefined;
  isChanged: boolean;
}

/** `written`: files that the measurement itself writes. */
export function measuredCode(written: readonly string[]): MeasuredCode {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changes = git('status', '--porcelain', '--', '.', ...written.map((file) => `:!${file}`));
    return { commit: git('rev-parse', '--short', 'HEAD'), isChanged: changes !== '' };
  } catch {
    return { commit: undefined, isChanged: false };
  }
}
