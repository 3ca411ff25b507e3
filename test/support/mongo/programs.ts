/** The command line for each kind of database. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OwnMongo } from '../setup/mongo.ts';

export interface Program {
  command: string;
  args: string[];
  /** mongod needs `replSetInitiate` once; SecantusDB is a replica set by itself. */
  needsInitiate: boolean;
}

export interface ProgramOptions {
  /** A standalone server, not a replica set. */
  standalone?: boolean;
  /** With authentication. Create the users first, in a run without it. */
  auth?: boolean;
}

export function programOf(mongo: OwnMongo, port: number, folder: string, options: ProgramOptions): Program {
  if (mongo.kind === 'secantusdb') return secantusdb(mongo.command, port, folder, options);
  return mongod(mongo.program, port, folder, options);
}

function secantusdb(
  [command, ...before]: readonly [string, ...string[]],
  port: number,
  folder: string,
  options: ProgramOptions,
): Program {
  const args = ['--port', `${port}`, '--storage-path', folder, '--sync-on-commit', '--enable-test-commands'];
  if (options.standalone) args.push('--standalone');
  if (options.auth) args.push('--auth');
  args.push('--log-level', 'WARNING', '--cache-size', '256M');
  return { command, args: [...before, ...args], needsInitiate: false };
}

function mongod(program: string, port: number, folder: string, options: ProgramOptions): Program {
  const args = ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', folder];
  args.push('--setParameter', 'enableTestCommands=1', '--wiredTigerCacheSizeGB', '0.25', '--quiet');
  // after a SIGTERM it would go on serving for 15 s
  args.push('--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=100');
  if (options.auth) args.push('--auth', ...(options.standalone ? [] : ['--keyFile', keyFileIn(folder)]));
  if (!options.standalone) args.push('--replSet', 'holdfast');
  return { command: program, args, needsInitiate: !options.standalone };
}

/** The members of a replica set with authentication prove themselves by the same key. mongod refuses a file that others may read. */
function keyFileIn(folder: string): string {
  const file = join(folder, 'set.key');
  writeFileSync(file, randomBytes(48).toString('base64'), { mode: 0o600 });
  return file;
}
