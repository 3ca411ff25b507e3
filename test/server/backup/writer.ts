/**
 * Writes to a database continuously, as a server does: `node writer.ts FILE`. After every commit the sum of all states is 0, and
 * each commit changes pages in all parts of the file.
 */
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID } from '../../../server/store/sqlite/tables.ts';

export const ROWS = 2_000;

const db = new DatabaseSync(process.argv[2]!);
db.exec(`
  PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 40;
  PRAGMA application_id = ${APPLICATION_ID};
  CREATE TABLE states (id INTEGER PRIMARY KEY, state INTEGER, filling BLOB);
`);
const insert = db.prepare('INSERT INTO states (state, filling) VALUES (0, randomblob(3000))');
db.exec('BEGIN');
for (let i = 0; i < ROWS; i++) insert.run();
db.exec('COMMIT');
const update = db.prepare('UPDATE states SET state = state + 1 WHERE id % 100 = ?');
const sum = db.prepare('UPDATE states SET state = state - ? WHERE id = ?');
console.log('writing');
for (let turn = 0; ; turn++) {
  db.exec('BEGIN');
  update.run(turn % 100);
  sum.run(ROWS / 100, ((turn * 7) % ROWS) + 1); // the sum over all rows stays 0
  db.exec('COMMIT');
  if (turn % 60 === 0) await new Promise((resolve) => setTimeout(resolve, 50 * ((turn / 60) % 5))); // pauses that are shorter and longer than a backup
}
