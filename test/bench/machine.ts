/** Describes the machine of the measurement. */
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
