/**
 * One of several processes that write to one room: the store, its tail and the batching of ingest, as in a server, without
 * sockets. Each of its users sends the next message when the last one is acknowledged. Reports the latencies to the parent
 * process.
 */
import { randomBytes } from 'node:crypto';
import { createLogger } from '../../../server/base/logger.ts';
import { createBatchWrite, createLanes, laneOfRoom } from '../../../server/ingest/batcher.ts';
import { openMongo } from '../../../server/store/mongo/index.ts';
import { idFrom } from '../../../shared/mint.ts';

/** From the parent process. Times are in ms. */
export interface Go {
  room: string;
  people: number;
  warmUpMs: number;
  forMs: number;
}

/** To the parent process. */
export interface Went {
  /** The latency of each acknowledgement in ms, after the warm-up. */
  waits: number[];
  /** The number of acknowledgements, including the warm-up. */
  acknowledged: number;
}

const store = await openMongo({ url: process.argv[2]!, log: createLogger('warn') });
await store.log.tail(undefined, { onBatch() {}, onGap() {} });
const { append } = createLanes(createBatchWrite(store.log, Date.now), laneOfRoom);

let acknowledged = 0;
process.once('message', async (go: Go) => {
  const from = performance.now() + go.warmUpMs;
  const people = Array.from({ length: go.people }, () => person(go.room, from, from + go.forMs));
  const waits = (await Promise.all(people)).flat();
  process.send!({ waits, acknowledged } satisfies Went);
});
process.on('disconnect', () => process.exit());
process.send!('ready');

async function person(room: string, from: number, until: number): Promise<number[]> {
  const author = newId();
  const waits: number[] = [];
  for (;;) {
    const start = performance.now();
    if (start >= until) return waits;
    const clientOffset = newId();
    const said = { room, author, clientOffset, kind: 'text' as const, body: BODY, digest: clientOffset };
    const { results } = await append([said]);
    if (results[0]?.tag !== 'appended') continue;
    acknowledged++;
    if (start >= from) waits.push(performance.now() - start);
  }
}

function newId(): string {
  return idFrom(randomBytes(16));
}

const BODY = 'a message of forty characters, all told.';
