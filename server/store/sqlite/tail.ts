/**
 * Tails of the log, for the feed. Each tail has a position in the order of all commits. A batch that the writer offers is
 * delivered directly where it follows the position; otherwise the missing commits are read from the table.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Committed, ResumePoint, Tail, TailListener } from '../port.ts';
import type { Numbered } from './rows.ts';

export interface TailSource {
  epoch(): string;
  isRunning(): boolean;
  lastSeq(): Promise<number>;
  /** Commits after `seq`, in order. */
  since(seq: number, limit: number): Promise<Numbered[]>;
  log: Pick<Logger, 'error'>;
}

const CATCH_UP_ENTRIES = 500;
const RETRY_MS = 1_000;

export function openTails(source: TailSource) {
  const tails = new Set<OneTail>();

  return {
    async open(from: ResumePoint | undefined, listener: TailListener): Promise<Tail> {
      const { position, gap } = positionOf(from, source.epoch(), await source.lastSeq());
      const tail = tailFrom(position, listener, source);
      if (gap) listener.onGap();
      tails.add(tail);
      tail.catchUp(); // reads commits since the answer above
      return {
        isOpen: () => tails.has(tail) && source.isRunning(),
        close: async () => {
          tails.delete(tail);
          tail.close();
        },
      };
    },
    /** A batch that was just committed, in order. */
    offer: (batch: Numbered[]) => tails.forEach((tail) => void tail.offer(batch)),
    /** Called after a time in which commits may not have been offered. */
    catchUp: () => tails.forEach((tail) => void tail.catchUp()),
    close() {
      for (const tail of tails) tail.close();
      tails.clear();
    },
  };
}

type OneTail = ReturnType<typeof tailFrom>;

function tailFrom(start: number, listener: TailListener, source: TailSource) {
  let position = start;
  let state: { tag: 'live' } | { tag: 'catching-up'; again: boolean } | { tag: 'closed' } = { tag: 'live' };

  function offer(batch: Numbered[]): void {
    const isNext = state.tag === 'live' && batch[0]?.seq === position + 1;
    if (isNext) deliver(batch);
    else if ((batch.at(-1)?.seq ?? 0) > position) catchUp();
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
      const batch = await source.since(position, CATCH_UP_ENTRIES).catch(() => undefined);
      if (state !== reading) return;
      if (batch === undefined) await delay(RETRY_MS, undefined, { ref: false });
      else if (batch.length > 0) deliver(batch);
      else if (!reading.again) state = { tag: 'live' };
    }
  }

  /** An exception of a listener is its own bug and must not reach the caller of append. */
  function deliver(batch: Numbered[]): void {
    position = batch.at(-1)!.seq;
    try {
      listener.onBatch(batch.map(committedOf), pointOf(source.epoch(), position));
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

/** No resume point means the present. One of another database, or beyond the last commit, means the present after a gap. */
function positionOf(point: ResumePoint | undefined, epoch: string, lastSeq: number) {
  const present = { position: lastSeq, gap: point !== undefined };
  const [of, seq] = point?.split(':') ?? [];
  if (of !== epoch || !/^\d{1,15}$/.test(seq ?? '')) return present;
  return Number(seq) > lastSeq ? present : { position: Number(seq), gap: false };
}
