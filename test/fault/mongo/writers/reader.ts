/** Reads heads and ranges continuously, from one process after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../support/random.ts';
import type { LogRecord } from '../record.ts';
import type { WriterProcess } from './process.ts';

interface Setting {
  writers: readonly WriterProcess[];
  rooms: readonly string[];
  random: Random;
  record: LogRecord;
}

const PATIENCE_MS = 3_000;
const BEHIND_AT_MOST = 300;

export function startReader(setting: Setting): { stop(): Promise<void> } {
  const { writers, rooms, random } = setting;
  const heads = new Map<string, number>();
  let going = true;
  const reading = (async () => {
    while (going) {
      const writer = random.pick(writers);
      await Promise.race([readSome(writer, random.pick(rooms), heads, setting), sleep(PATIENCE_MS)]);
      await sleep(random.int(0, 20));
    }
  })();
  return {
    stop: () => {
      going = false;
      return reading;
    },
  };
}

async function readSome(
  writer: WriterProcess,
  room: string,
  heads: Map<string, number>,
  { random, record }: Setting,
): Promise<void> {
  const known = heads.get(room) ?? 0;
  const head = (await writer.ask('heads', [room]))?.get(room);
  if (head === undefined) return;
  if (head < known) record.violate(`L2 the head of ${room} was ${known}, then ${head} for ${writer.name}`);
  heads.set(room, Math.max(head, heads.get(room) ?? 0));
  if (head === 0) return;
  const from = random.int(Math.max(1, head - BEHIND_AT_MOST), head);
  const range = await writer.ask('range', room, from, from + 49, 100_000);
  if (range === undefined) return;
  const by = `a range by ${writer.name}`;
  if (range.head < head) record.violate(`L2 the head of ${room} was ${head}, then ${range.head} by ${by}`);
  for (const [index, entry] of range.entries.entries()) {
    if (entry.serverOffset !== from + index)
      record.violate(`L1 ${by} gave ${entry.serverOffset} of ${room} where ${from + index} belongs`);
    record.tell({ room, ...entry }, by);
  }
}
