/** The content of the logs before the measurement: years of a busy room, the same in every run. Pure. */
import { digestOf } from '../../server/ingest/checkItem.ts';
import type { NewEntry } from '../../server/store/port.ts';
import { idFrom } from '../../shared/mint.ts';
import { type Random, seeded } from '../support/random.ts';

/** The number of entries with the same time: a hundred every two hours are eighty days for 100,000. */
export const TOGETHER = 100;
export const APART_MS = 2 * 60 * 60_000;

/** Generates texts of these users, in runs by one author; of 200 entries three are edits and one is a deletion. */
export function historyOf(room: string, people: readonly string[], texts: number): NewEntry[] {
  const random = seeded(texts);
  const entries: NewEntry[] = [];
  let author = people[0]!;
  for (let said = 0; said < texts; ) {
    if (random.next() < 0.4) author = random.pick(people);
    const clientOffset = idFrom(random.bytes(16));
    const before = random.next() < 0.02 ? textBefore(entries, author) : undefined;
    const amendment = before && { room, author, clientOffset, target: before.clientOffset };
    if (amendment && random.next() < 0.25) entries.push(withDigest({ ...amendment, kind: 'delete' }));
    else if (amendment) entries.push(withDigest({ ...amendment, kind: 'edit', body: bodyOf(random) }));
    else {
      entries.push(withDigest({ room, author, clientOffset, kind: 'text', body: bodyOf(random) }));
      said++;
    }
  }
  return entries;
}

export function joinOf(room: string, author: string): NewEntry {
  return withDigest({ room, author, clientOffset: author, kind: 'join' });
}

/** The last text of this author within the newest entries. */
function textBefore(entries: readonly NewEntry[], author: string): NewEntry | undefined {
  return entries.slice(-RECENT).findLast((entry) => entry.kind === 'text' && entry.author === author);
}

const RECENT = 40;

/** Mostly one line, sometimes three, now and then a link, a list or a long text. */
function bodyOf(random: Random): string {
  const kind = random.next();
  const words = (count: number) => Array.from({ length: count }, () => random.pick(WORDS)).join(' ');
  if (kind < 0.6) return words(random.int(1, 9));
  if (kind < 0.9) return words(random.int(10, 40));
  if (kind < 0.94) return `${words(4)} https://example.org/${words(2).replaceAll(' ', '/')}`;
  if (kind < 0.98) return [words(3), words(5), words(4)].join('\n');
  return words(random.int(60, 200));
}

const WORDS =
  'we are at the north gate now and will wait until you come back with water some food for four people two of us walked down to river before rain it is quiet here bring lamp rope dry socks please call when train leaves he said maybe tomorrow morning not today thanks good night see soon 好的 明天见 😀 été'.split(
    ' ',
  );

function withDigest(entry: Omit<NewEntry, 'digest'>): NewEntry {
  return { ...entry, digest: digestOf(entry) };
}
