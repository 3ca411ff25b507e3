/** A writer process: a store with its tail, controlled by the parent process, which records the results. */
import { pino } from 'pino';
import { openMongo } from '../../../../server/store/mongo/index.ts';
import { Unavailable } from '../../../../server/store/port.ts';
import type { Asked, Said } from './messages.ts';

const url = process.argv[2]!;
process.on('disconnect', () => process.exit());

const store = await openMongo({ url, log: pino({ level: 'warn' }) });
await store.log.tail(undefined, {
  onBatch: (batch) => say({ say: 'tail', batch }),
  onGap: () => say({ say: 'gap' }),
});
process.on('message', (asked: Asked) => void answer(asked));
say({ say: 'open' });

async function answer({ id, call, args }: Asked): Promise<void> {
  const log = store.log as unknown as Record<Asked['call'], (...args: unknown[]) => Promise<unknown>>;
  try {
    say({ say: 'answer', id, value: await log[call](...args) });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    say({ say: 'unavailable', id });
  }
}

function say(said: Said): void {
  if (process.connected) process.send!(said);
}
