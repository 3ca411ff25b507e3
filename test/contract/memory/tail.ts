/** Tails of one store: each has a position in the order of all commits. */
import type { ResumePoint, Tail, TailListener } from '../../../server/store/port.ts';
import type { MemoryData, Row } from './data.ts';

export function openTails(data: MemoryData) {
  const stops = new Set<() => void>();

  return {
    open(from: ResumePoint | undefined, { onBatch, onGap }: TailListener): Tail {
      let place = placeOf(data, from) ?? data.rows.length;
      if (from !== undefined && placeOf(data, from) === undefined) onGap();
      const timer = setInterval(() => {
        const rows = data.rows.slice(place);
        if (rows.length === 0) return;
        place += rows.length;
        try {
          onBatch(rows.map(shown), `${data.epoch}:${place}`);
        } catch {
          // a bug of the listener
        }
      }, 0);
      const stop = () => {
        clearInterval(timer);
        stops.delete(stop);
      };
      stops.add(stop);
      return { isOpen: () => stops.has(stop), close: async () => stop() };
    },
    close: () => stops.forEach((stop) => void stop()),
  };

  /** Applies the side effects of each delivered entry, because its writer may have died. */
  function shown(row: Row) {
    data.repair(row);
    return { room: row.room, entry: data.entryOf(row) };
  }
}

/** Undefined for an invalid resume point. */
function placeOf(data: MemoryData, point: ResumePoint | undefined): number | undefined {
  const [epoch, place] = point?.split(':') ?? [];
  if (epoch !== data.epoch || !/^\d+$/.test(place ?? '')) return undefined;
  return Number(place) >= data.forgotten && Number(place) <= data.rows.length ? Number(place) : undefined;
}
