/**
 * The Socket.IO adapter for several processes on one database: broadcasts hints such as a sign-out or a read marker through a
 * capped collection. A broadcast is lost silently where its insert fails or the change stream restarts, so nothing depends
 * on it: sessions are also reconciled with the store every minute.
 */
import { createAdapter, type MongoAdapter } from '@socket.io/mongo-adapter';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { EPHEMERAL } from './base/collections.ts';

/** The `adapter` option of Socket.IO. */
export function socketAdapterOn(db: Db, log: Pick<Logger, 'warn'>): (namespace: unknown) => MongoAdapter {
  // hints need not survive a crash of the primary
  const adapterFor = createAdapter(db.collection(EPHEMERAL, { writeConcern: { w: 1 } }));
  // not an arrow function: Socket.IO calls it with `new`
  return function adapterWithin(namespace) {
    const adapter = adapterFor(namespace);
    const onEvent = adapter.onEvent.bind(adapter);
    // Nothing awaits its promise: a document that it cannot parse would end the process.
    adapter.onEvent = (event) =>
      onEvent(event).catch((error: unknown) =>
        log.warn({ err: error }, 'a broadcast of another process was lost'),
      );
    const inner = adapter as unknown as { publish(document: object): Promise<string> };
    const publish = inner.publish.bind(adapter);
    // Nor the one of an answer (`serverSideEmit` with acknowledgements), which fails while the database is away.
    inner.publish = (document) => {
      const published = publish(document);
      published.catch(() => {});
      return published;
    };
    return adapter;
  };
}
