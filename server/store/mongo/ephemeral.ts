/**
 * What the processes on one database tell each other that may be lost: that a device was signed out, how far somebody
 * has read. Its broadcast is lost without a word where its insert fails or its stream begins anew; nothing that must
 * arrive goes this way, and sessions are looked at again every minute.
 */
import { createAdapter, type MongoAdapter } from '@socket.io/mongo-adapter';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { EPHEMERAL } from './schema.ts';

/** For Socket.IO, which gives it its namespace. */
export function ephemeralOn(db: Db, log: Pick<Logger, 'warn'>): (namespace: unknown) => MongoAdapter {
  // It need not outlive the primary's memory.
  const adapterFor = createAdapter(db.collection(EPHEMERAL, { writeConcern: { w: 1 } }));
  // A function of the old kind: Socket.IO calls it with `new`.
  return function adapterWithin(namespace) {
    const adapter = adapterFor(namespace);
    const onEvent = adapter.onEvent.bind(adapter);
    // Nobody waits for what it returns: a document that it does not understand would end the process.
    adapter.onEvent = (event) =>
      onEvent(event).catch((error: unknown) =>
        log.warn({ err: error }, 'a word of another process was lost'),
      );
    return adapter;
  };
}
