import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { backUp } from '../../../server/store/sqlite/backup.ts';
import { dieTogether } from '../../support/orphans.ts';
import { newFolder } from './shared.ts';

test('L4 a backup while another process writes continuously is always a snapshot of one moment', {
  timeout: 90_000,
}, async () => {
  const folder = await newFolder();
  const file = join(folder, 'written.db');
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  dieTogether(writer);
  onTestFinished(async () => {
    if (writer.kill('SIGKILL')) await once(writer, 'exit');
  });
  await once(writer.stdout, 'data');
  const seen = new Set<string>();
  for (let i = 0; seen.size < 8; i++) {
    const copy = join(folder, `copy ${i}.db`);
    await backUp(file, copy);
    using db = new DatabaseSync(copy);
    const value = (sql: string) => Object.values(db.prepare(sql).get()!)[0];
    const found = [value('PRAGMA integrity_check'), value('SELECT sum(state) FROM states')];
    expect([i, ...found]).toEqual([i, 'ok', 0]);
    seen.add(String(value('SELECT total(abs(state)) FROM states')));
  }
});
