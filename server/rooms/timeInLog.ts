/**
 * The entry of a log at a time. The times of a log never go back, so a search for a time needs no index: each step asks for the
 * times of some entries at once.
 */
import { Unavailable } from '../base/refusal.ts';
import type { LogStore } from '../store/port.ts';

/** The serverOffset of the first entry that is not earlier than `time`; head + 1 where all are. */
export async function firstSince(
  log: Pick<LogStore, 'timesAt'>,
  room: string,
  head: number,
  time: number,
): Promise<number> {
  let [from, to] = [1, head + 1]; // it is among these
  while (from < to) {
    const step = Math.ceil((to - from) / TIMES_AT_ONCE);
    const offsets: number[] = [];
    for (let offset = from + step - 1; offset < to; offset += step) offsets.push(offset);
    const times = await log.timesAt(offsets.map((serverOffset) => ({ room, serverOffset })));
    if (times.includes(undefined)) throw unreadableLog();
    const index = times.findIndex((at) => at! >= time);
    if (index < 0) from = offsets.at(-1)! + 1;
    else {
      to = offsets[index]!;
      if (index > 0) from = offsets[index - 1]! + 1;
    }
  }
  return to;
}

/** Four steps find an entry among a million. */
const TIMES_AT_ONCE = 32;

export function unreadableLog(): Unavailable {
  return new Unavailable('This room cannot be read at the moment; try again.');
}
