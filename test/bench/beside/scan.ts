/** `node scan.ts FILE`: scans all entries of a database repeatedly, and prints a line after each scan. */
import { DatabaseSync } from 'node:sqlite';

const db = new DatabaseSync(process.argv[2]!, { readOnly: true, timeout: 1_000 });
const scan = db.prepare('SELECT count(*), sum(length(body)), max(digest) FROM entries');
for (;;) {
  scan.get();
  process.stdout.write('\n');
}
