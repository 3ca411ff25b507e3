/** Catch-up of many missed messages over a slow network. */
import type { Page } from '@playwright/test';
import { RANGE_MAX_ENTRIES } from '../../shared/limits.ts';
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { BOTH, expect, expectInOrder, signUp, test } from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';
import { goToNewest, readToTheBeginning } from './support/scroll.ts';

const NARROW_BYTES_PER_SECOND = 20_000;

test(
  'S2 S3 1,000 missed messages: the newest show first, and scrolling up to the beginning finds no hole',
  BOTH,
  async ({ server, network, phone }) => {
    using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
    const page = await phone(network.url);
    await signUp(page, 'Ada');
    const before = numbered('before', 5);
    await bob.append(...before.map((body) => text(body)));
    await expectInOrder(page, before);

    network.refuse();
    await expect(page.getByText('Offline').first()).toBeAttached();
    const missed = numbered('missed', 1_000);
    await crowdSays(server.url, missed);
    network.narrow(NARROW_BYTES_PER_SECOND);
    network.pass();

    await goToNewest(page, missed.at(-1)!);
    const held = await textsHeld();
    const all = [...before, ...missed];
    // Loading everything would take seconds on this network. The gap was in view before the jump: a piece of it may be there.
    expect(held.length).toBeLessThanOrEqual(before.length + 200 + RANGE_MAX_ENTRIES);
    expect(held).toEqual(all.filter((body) => held.includes(body)));
    expect(held.slice(-50)).toEqual(missed.slice(-50));

    const { lines } = await readToTheBeginning(page);
    expect(lines).toEqual(all);
    const { kept, shown } = await nodesOf(page); // 1,000 messages were on the screen, at most 120 still are
    expect(kept).toBeLessThan(2 * shown);
    expect(await textsHeld()).toEqual(all);
    expect(await recordsOf(page, { store: 'logSpans' })).toHaveLength(1);

    async function textsHeld(): Promise<string[]> {
      const records = await recordsOf(page, { store: 'log' });
      return records.flatMap(({ value }) => (value.kind === 'text' ? value.body : []));
    }
  },
);

/** The nodes that the page keeps in its memory, and those of them that are in the document. */
async function nodesOf(page: Page): Promise<{ kept: number; shown: number }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const { nodes } = await cdp.send('Memory.getDOMCounters');
  const shown = await page.evaluate(() => {
    const walker = document.createTreeWalker(document);
    let count = 0;
    while (walker.nextNode()) count++;
    return count;
  });
  return { kept: nodes, shown };
}
