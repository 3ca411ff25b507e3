/** One tab's sync against a log that grows, is amended and restored, over connections that end and lose answers. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { fold } from '../../../../shared/fold.ts';
import { isAmendment } from '../../../../shared/kinds.ts';
import { seeded } from '../../../support/random.ts';
import { seedsOf } from '../../../support/runs.ts';
import { turns } from '../../db/until.ts';
import { amend, type Bench, bench, rangeOf, spans, text } from '../syncBench.ts';

afterEach(() => void vi.restoreAllMocks());

test.each(seedsOf('frames of a sync'))('S1 S2 S3 seed %i', async (seed) => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const random = seeded(seed);
  const tab = bench({ r: [] });
  let at = 0;
  let up = false;
  const log = () => tab.logs.get('r')!;
  const say = (from: number) => {
    const entries = log().slice(from - 1);
    if (up && random.int(0, 4) > 0)
      tab.sync.frame({ event: 'entries', payload: { room: 'r', entries, users: {} } });
  };
  tab.answer = (asked) => {
    if (!up || random.int(0, 5) === 0) return undefined;
    const answer = rangeOf(tab, asked);
    const cut = random.int(0, 2) === 0 ? Math.ceil(answer.entries.length / 2) : answer.entries.length;
    return rangeOf(tab, { ...asked, to: Math.min(asked.to, asked.from + Math.max(cut, 1) - 1) });
  };
  const connect = async () => {
    up = true;
    await tab.connect();
  };
  await connect();

  for (let i = 0; i < 60; i++) {
    switch (random.int(0, 7)) {
      case 0: {
        const from = log().length + 1;
        const count = random.int(0, 3) === 0 ? random.int(200, 260) : random.int(1, 5);
        for (let n = 0; n < count; n++) log().push({ ...text(log().length + 1), at: ++at });
        say(from);
        break;
      }
      case 1: {
        const texts = log().filter((entry) => entry.kind === 'text');
        if (texts.length === 0) break;
        const from = log().length + 1;
        amend(
          log(),
          random.pick(['edit', 'delete'] as const),
          random.pick(texts).serverOffset,
          `edit ${++at}`,
        );
        log().at(-1)!.at = ++at;
        say(from);
        break;
      }
      case 2:
        tab.sync.down();
        up = false;
        break;
      case 3:
        if (up) tab.sync.down();
        await connect();
        break;
      case 4: {
        const held = await spans(tab.db);
        if (held.length > 1) await tab.sync.older('r', random.pick(held).from);
        break;
      }
      case 5: {
        const held = await spans(tab.db);
        if (held.length > 1) await tab.sync.newer('r', random.pick(held).to);
        break;
      }
      case 6: {
        const one = random.pick(await spans(tab.db));
        if (!one || !up) break;
        tab.sync.frame({ event: 'heads', payload: { r: log().length } });
        await turns(3);
        await settle(tab);
        const from = random.int(one.from, one.to);
        const seen = { from, to: Math.min(one.to, from + 60) };
        if ((await tab.sync.freshen('r', seen)) !== 'no way') await expectAsOnServer(tab, seen);
        break;
      }
      case 7:
        if (random.int(0, 3) > 0) break;
        tab.sync.down(); // the server's data is restored from an older copy
        tab.logs.set('r', log().slice(0, random.int(0, log().length)));
        if (random.int(0, 1) === 0) tab.epoch = `epoch ${++at}`;
        await connect();
        break;
    }
    await expectWhole(tab);
  }

  if (up) tab.sync.down();
  await connect();
  const held = await spans(tab.db);
  expect(held.at(-1)?.to ?? 0).toBe(log().length);
  tab.answer = (asked) => rangeOf(tab, asked);
  for (let span = held.at(-1); span && span.from > 1; span = (await spans(tab.db)).at(-1))
    expect(await tab.sync.older('r', span.from)).toBe(true);
  if (log().length === 0) return;
  const all = { from: 1, to: log().length };
  expect(await tab.sync.freshen('r', all)).not.toBe('no way');
  await expectAsOnServer(tab, all);
});

async function settle(tab: Bench) {
  for (let i = 0; tab.sync.catchingUp() && i < 1_000; i++) {
    tab.clock.pass(100); // not more: the database has a timeout, too
    await turns(5);
  }
}

function heldOf({ db }: Bench) {
  return db.read(['log', 'detached', 'logSpans'], async (tx) => ({
    entries: await tx.objectStore('log').getAll(),
    detached: await tx.objectStore('detached').getAll(),
    spans: await tx.objectStore('logSpans').getAll(),
  }));
}

/** S1: spans cover exactly the stored entries, and entries known to be deleted have no text. */
async function expectWhole(tab: Bench) {
  const { entries, detached, spans } = await heldOf(tab);
  const covered = spans.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
  expect(entries.map(({ serverOffset }) => serverOffset)).toEqual(covered);
  const all: Entry[] = [...entries, ...detached];
  const dead = new Set(
    all.flatMap((entry) => (entry.kind === 'delete' && isAmendment(entry) ? entry.target : [])),
  );
  for (const entry of all)
    if (dead.has(isAmendment(entry) ? entry.target : entry.serverOffset))
      expect(entry).not.toHaveProperty('body');
}

/** S3: visible lines are the same as on the server. */
async function expectAsOnServer(tab: Bench, { from, to }: { from: number; to: number }) {
  const { entries, detached } = await heldOf(tab);
  const isSeen = ({ serverOffset }: { serverOffset: number }) => serverOffset >= from && serverOffset <= to;
  const strip = (all: readonly Entry[]) =>
    all.map(({ room: _, ...entry }: Entry & { room?: string }) => entry as Entry);
  const held = strip([...entries, ...detached]);
  expect(fold(strip(entries).filter(isSeen), held.filter(isAmendment))).toEqual(
    fold(tab.logs.get('r')!.filter(isSeen), tab.logs.get('r')!.filter(isAmendment)),
  );
}
