/**
 * Tails of the log, in this process: each goes by the order of commits from the place where it stands. What the writer
 * offers is taken when it is the very next; whatever else there is, is read from the table.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Committed, ResumePoint, Tail, TailListener } from '../port.ts';
import type { Numbered } from './rows.ts';

export interface TailSource {
  epoch(): string;
  isRunning(): boolean;
  lastSeq(): Promise<number>;
  /** What was committed after `seq`, in the order of commits. */
  since(seq: number, limit: number): Promise<Numbered[]>;
  log: Pick<Logger, 'error'>;
}

const BACKFILL_ENTRIES = 500;
const RETRY_MS = 1_000;

export function openTails(source: TailSource) {
  const tails = new Set<OneTail>();

  return {
    async open(from: ResumePoint | undefined, listener: TailListener): Promise<Tail> {
      const { place, gap } = placeOf(from, source.epoch(), await source.lastSeq());
      const tail = tailFrom(place, listener, source);
      if (gap) listener.onGap();
      tails.add(tail);
      tail.catchUp(); // commits between the answer above and now
      return {
        isOpen: () => tails.has(tail) && source.isRunning(),
        close: async () => {
          tails.delete(tail);
          tail.close();
        },
      };
    },
    /** What was just committed, in order. */
    offer: (batch: Numbered[]) => tails.forEach((tail) => void tail.offer(batch)),
    /** After a time in which commits may not have been offered. */
    catchUp: () => tails.forEach((tail) => void tail.catchUp()),
    close() {
      for (const tail of tails) tail.close();
      tails.clear();
    },
  };
}

type OneTail = ReturnType<typeof tailFrom>;

function tailFrom(start: number, listener: TailListener, source: TailSource) {
  let place = start;
  let state: { tag: 'live' } | { tag: 'catching-up'; again: boolean } | { tag: 'closed' } = { tag: 'live' };

  function offer(batch: Numbered[]): void {
    const isNext = state.tag === 'live' && batch[0]?.seq === place + 1;
    if (isNext) deliver(batch);
    else if ((batch.at(-1)?.seq ?? 0) > place) catchUp();
  }

  function catchUp(): void {
    if (state.tag === 'catching-up') state.again = true;
    if (state.tag === 'live') void readOn();
  }

  async function readOn(): Promise<void> {
    const reading = { tag: 'catching-up' as const, again: true };
    state = reading;
    while (state === reading) {
      reading.again = false;
      const batch = await source.since(place, BACKFILL_ENTRIES).catch(() => undefined);
      if (state !== reading) return;
      if (batch === undefined) await delay(RETRY_MS, undefined, { ref: false });
      else if (batch.length > 0) deliver(batch);
      else if (!reading.again) state = { tag: 'live' };
    }
  }

  /** A listener that throws is a mistake of its own and not one of those who append. */
  function deliver(batch: Numbered[]): void {
    place = batch.at(-1)!.seq;
    try {
      listener.onBatch(batch.map(committedOf), pointOf(source.epoch(), place));
    } catch (error) {
      source.log.error({ err: error }, 'a listener of the tail threw');
    }
  }

  return {
    offer,
    catchUp,
    close: () => {
      state = { tag: 'closed' };
    },
  };
}

function committedOf({ room, entry }: Numbered): Committed {
  return { room, entry };
}

function pointOf(epoch: string, seq: number): ResumePoint {
  return `${epoch}:${seq}`;
}

/** Without a point it is the present; with one of another database, or a later one than there is, too, after a gap. */
function placeOf(point: ResumePoint | undefined, epoch: string, lastSeq: number) {
  const present = { place: lastSeq, gap: point !== undefined };
  const [of, seq] = point?.split(':') ?? [];
  if (of !== epoch || !/^\d{1,15}$/.test(seq ?? '')) return present;
  return Number(seq) > lastSeq ? present : { place: Number(seq), gap: false };
}
