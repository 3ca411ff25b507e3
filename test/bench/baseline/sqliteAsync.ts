/** The functions of the packages `sqlite` and `sqlite3` that the tutorial uses, implemented with `node:sqlite` in a thread. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface Question {
  id: number;
  method: 'exec' | 'run' | 'all';
  sql: string;
  params: SQLInputValue[];
}

type Answer = { id: number; value: unknown } | { id: number; errno: number };

export async function open(filename: string) {
  const worker = new Worker(new URL(import.meta.url), { workerData: filename });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  worker.on('message', (answer: Answer) => {
    const { resolve, reject } = waiting.get(answer.id)!;
    waiting.delete(answer.id);
    if ('errno' in answer) reject(Object.assign(new Error('SQLite refused it'), { errno: answer.errno }));
    else resolve(answer.value);
  });
  const ask = (method: Question['method'], sql: string, params: SQLInputValue[]) => {
    const answer = Promise.withResolvers<unknown>();
    waiting.set(++asked, answer);
    worker.postMessage({ id: asked, method, sql, params } satisfies Question);
    return answer.promise;
  };
  return {
    exec: async (sql: string) => void (await ask('exec', sql, [])),
    run: (sql: string, ...params: SQLInputValue[]) => ask('run', sql, params) as Promise<{ lastID: number }>,
    all: (sql: string, ...params: SQLInputValue[]) =>
      ask('all', sql, params) as Promise<{ id: number; content: string }[]>,
  };
}

if (!isMainThread) {
  const db = new DatabaseSync(workerData as string);
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const prepared = (sql: string) => {
    const statement = statements.get(sql) ?? db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const carryOut = ({ method, sql, params }: Question): unknown => {
    if (method === 'exec') return db.exec(sql);
    if (method === 'all') return prepared(sql).all(...params);
    return { lastID: Number(prepared(sql).run(...params).lastInsertRowid) };
  };
  parentPort!.on('message', (question: Question) => {
    try {
      parentPort!.postMessage({ id: question.id, value: carryOut(question) });
    } catch (error) {
      const code = (error as { errcode?: number }).errcode ?? 0;
      parentPort!.postMessage({ id: question.id, errno: code & 0xff }); // the primary code without the extended bits
    }
  });
}
