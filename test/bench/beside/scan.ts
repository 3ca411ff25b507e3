/** Reads every entry of a database again and again: `node scan.ts FILE`. A line for each time. */
import { DatabaseSync } from 'node:sqlite';

const db = new DatabaseSync(process.argv[2]!, { readOnly: true, timeout: 1_000 });
const scan = db.prepare('SELECT count(*), sum(length(body)), max(digest) FROM entries');
for (;;) {
  scan.get();
  process.stdout.write('\n');
}
