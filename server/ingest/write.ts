/** One write to the log that never rejects: a batch that throws is split down to the entry that is guilty of it. */
import { type AppendOutcome, type LogStore, type NewEntry, Unavailable } from '../store/port.ts';

export function createWrite(log: Pick<LogStore, 'append'>, now: () => number) {
  return async function write(entries: readonly NewEntry[]): Promise<AppendOutcome> {
    try {
      return await log.append(entries, now());
    } catch (error) {
      if (error instanceof Unavailable) return { results: [], stopped: error };
      if (entries.length === 1) return { results: [{ tag: 'failed', message: String(error) }] };
      return split(entries);
    }
  };

  /** What of the batch was written after all is known again by its key. */
  async function split(entries: readonly NewEntry[]): Promise<AppendOutcome> {
    const write = createWrite(log, now);
    const middle = entries.length >> 1;
    const first = await write(entries.slice(0, middle));
    if (first.stopped) return first;
    const second = await write(entries.slice(middle));
    return { ...second, results: [...first.results, ...second.results] };
  }
}
