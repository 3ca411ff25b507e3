import type { Db } from 'mongodb';
import { expect, test } from 'vitest';
import { socketAdapterOn } from '../../../../server/store/mongo/socketAdapter.ts';

/** A database that can be listened to, and takes nothing. */
function brokenDatabase() {
  const stream = { on: () => {}, removeAllListeners: () => {}, close: async () => {}, closed: false };
  const collection = { watch: () => stream, insertOne: () => Promise.reject(new Error('no primary')) };
  return { collection: () => collection } as unknown as Db;
}

test('an answer to another process that cannot be written, and a document that cannot be read, end nothing', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const warnings: unknown[] = [];
  const Adapter = socketAdapterOn(brokenDatabase(), {
    warn: (line: unknown) => warnings.push(line),
  } as never);
  const asked: unknown[] = [];
  const adapter = Adapter({
    name: '/admin',
    server: { encoder: {} },
    _onServerSideEmit([event, answer]: [string, (said: unknown) => void]) {
      asked.push(event);
      answer('a report');
    },
  });
  try {
    const event = (document: object) => ({ fullDocument: { nsp: '/admin', uid: 'other', ...document } });
    await adapter.onEvent(event({ type: 9, data: { requestId: 'r', packet: ['look'] } }));
    await adapter.onEvent(event({ type: 9 }));
    await new Promise(setImmediate);
    expect(asked).toEqual(['look']);
    expect(warnings).toHaveLength(1);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
    await adapter.close();
  }
});
