/** A process of its own with a store, for tests with two processes: `node child.ts TASK FILE`. */
import { pino } from 'pino';
import { openWriter } from '../../../../server/store/sqlite/connections.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { newId, text, upTo } from '../../../contract/support.ts';

const [task, file] = process.argv.slice(2) as [string, string];
const NOBODY = 65_534;

try {
  await run();
} catch (error) {
  console.log(String(error));
}

async function run(): Promise<void> {
  switch (task) {
    case 'open-database': // everything is loaded by now: what is tried as nobody is the file alone
      if (process.getuid?.() === 0) process.setuid?.(NOBODY);
      openWriter(file).db.close();
      console.log('open');
      return;
    case 'hold':
      await openSqlite({ file, log: pino({ level: 'silent' }) });
      console.log('open');
      return; // the store keeps the process alive
    case 'hold-as-nobody': // as above; warnings are printed
      if (process.getuid?.() === 0) process.setuid?.(NOBODY);
      await openSqlite({ file, log: pino({ level: 'warn' }, pino.destination({ fd: 1, sync: true })) });
      console.log('open');
      return;
    case 'write':
      await write();
  }
}

/** Appends for ever, with three batches in flight, and prints a line per acknowledged entry. */
async function write(): Promise<void> {
  const store = await openSqlite({ file, log: pino({ level: 'silent' }) });
  const author = newId();
  const one = async (room: string): Promise<void> => {
    for (;;) {
      const items = upTo(20).map((n) => text(room, author, `line ${n}`));
      const { results } = await store.log.append(items, Date.now());
      const lines = results.map((result, i) => JSON.stringify({ item: items[i], result }));
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  };
  const other = await store.rooms.create({
    id: 'A'.repeat(22),
    kind: 'public',
    name: 'Other',
    createdBy: author,
    createdAt: 1,
  });
  await Promise.all([one('lobby'), one('lobby'), one(other.id)]);
}
