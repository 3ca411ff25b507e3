import { expect, test } from 'vitest';
import { createNames } from '../../../server/feed/names.ts';
import { createRangeHandler } from '../../../server/feed/rangeHandler.ts';
import type { RequestSource } from '../../../server/request/perform.ts';
import type { LogStore } from '../../../server/store/port.ts';
import { jsonBytes } from '../../../server/store/storedEntries.ts';
import type { Entry } from '../../../shared/entry.ts';
import { isAmendment } from '../../../shared/kinds.ts';
import { RANGE_MAX_BYTES, RANGE_POLLED_BYTES } from '../../../shared/limits.ts';

test.each<[RequestSource['transport'], number]>([
  ['polling', RANGE_POLLED_BYTES],
  ['websocket', RANGE_MAX_BYTES],
  ['http', RANGE_MAX_BYTES],
])(
  'S2 S4 by %s one answer holds at most %i bytes of entries, and as many of amendments',
  async (way, most) => {
    for (const [texts, edits] of [
      [3_000, 5],
      [5, 3_900],
    ] as const) {
      const range = rangeOf(logOf(texts, edits));
      const all: number[] = [];
      while (all.length < 200) {
        const { entries, amendments } = await range(
          { id: 'u', name: 'U', rev: 0 },
          { room: 'r', from: all.length + 1, to: 200 },
          way,
        );
        expect(jsonBytes(entries)).toBeLessThanOrEqual(most);
        expect(jsonBytes(amendments)).toBeLessThanOrEqual(most);
        expect(amendments.map((edit) => 'target' in edit && edit.target)).toEqual(
          entries.map(({ serverOffset }) => serverOffset),
        );
        all.push(...entries.map(({ serverOffset }) => serverOffset));
      }
      expect(all).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    }
  },
);

/** 200 texts with `texts` characters, and an edit of each with `edits` characters. */
function logOf(texts: number, edits: number): Entry[] {
  const placed = (n: number) => ({ serverOffset: n, author: 'a', clientOffset: `${n}`, at: n });
  return Array.from({ length: 400 }, (_, i): Entry => {
    const n = i + 1;
    if (n <= 200) return { ...placed(n), kind: 'text', body: 'x'.repeat(texts) };
    return { ...placed(n), kind: 'edit', target: n - 200, body: 'y'.repeat(edits) };
  });
}

function rangeOf(entries: readonly Entry[]) {
  const log = {
    async range(_: string, from: number, to: number, maxBytes: number) {
      const found: Entry[] = [];
      for (const entry of entries.slice(from - 1, to)) {
        if (found.length > 0 && jsonBytes([...found, entry]) > maxBytes) break;
        found.push(entry);
      }
      const last = found.at(-1)?.serverOffset ?? 0;
      const amendments = entries.filter(
        (entry) => isAmendment(entry) && entry.target >= from && entry.target <= last,
      );
      return { entries: found, amendments, head: entries.length };
    },
    reactionsTo: async () => [],
    messageAt: async () => undefined,
  } as unknown as LogStore;
  const names = createNames({
    names: async (ids) => new Map(ids.map((id) => [id, { name: id, rev: 0 }])),
    changedSince: async () => [],
    latestRev: async () => 0,
  });
  const access = { refusalOf: async () => undefined } as unknown as Parameters<
    typeof createRangeHandler
  >[0]['access'];
  return createRangeHandler({ log, names, access });
}
