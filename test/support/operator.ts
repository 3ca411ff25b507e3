/** Runs the operator's commands, as `npm run backup` and `npm run restore` do. */
import { type Ran, ROOT, run } from './tools.ts';

export interface Settings {
  data?: string;
  mongoUrl?: string | undefined;
  /** The current directory. */
  folder?: string;
}

export function operate(
  command: 'backup' | 'restore',
  files: readonly string[],
  { data, mongoUrl, folder = ROOT }: Settings,
): Promise<Ran> {
  const env = { DATA: data, MONGODB_URL: mongoUrl, INIT_CWD: folder };
  return run(process.execPath, ['server/backup/main.ts', command, ...files], { env });
}
