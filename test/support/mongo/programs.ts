/** The command line for each kind of database. */
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
  /** With authentication (SCRAM-SHA-256). SecantusDB only; create the users first, in a run without it. */
  auth?: boolean;
}

export function programOf(mongo: OwnMongo, port: number, folder: string, options: ProgramOptions): Program {
  if (mongo.kind === 'secantusdb') return secantusdb(mongo.command, port, folder, options);
  if (options.auth)
    throw new Error(
      `the tests start no ${mongo.kind} with --auth, only SecantusDB: take mongod off the PATH`,
    );
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
  if (!options.standalone) args.push('--replSet', 'holdfast');
  return { command: program, args, needsInitiate: !options.standalone };
}
