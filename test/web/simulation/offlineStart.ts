/** A start without a network: scrolling up reaches every line that is held (S3). */

import { isLine } from '../../../shared/fold.ts';
import { LEGACY_LOG_STORES } from '../../../web/db/userDatabase.ts';
import { WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import type { HeldEntry } from '../../../web/records/storedRecords.ts';
import type { Run } from './run.ts';

/** More than any room has. */
const MOST_PAGES = 120;

/** Kills all tabs and opens one. The network is gone until the caller brings it back. */
export async function startOffline(run: Run): Promise<void> {
  const { browser, ill, network, world } = run;
  for (const tab of browser.tabs()) tab.kill();
  ill.unreachable = true;
  network.breakSome('all');
  const tab = browser.openTab();
  world.note(`${tab.name} opens without a network`);
  await world.pass(3_000);
  const user = tab.signedIn()?.user.id;
  if (user === undefined) return;
  const database = `holdfast:${user}`;
  const isMoving = () => LEGACY_LOG_STORES.some((store) => browser.disk.read(database, store).length > 0);
  for (let seconds = 0; isMoving() && seconds < 300; seconds++) await world.pass(1_000);
  for (const { id } of tab.signedIn()?.rooms ?? []) {
    tab.look(id);
    const shown = new Set<number>();
    let isDown = false; // a room may open in the middle
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      await world.pass(20);
      await world.settle();
      const state = tab.client.conversation(id).get();
      for (const { serverOffset } of state.messages) if (serverOffset !== undefined) shown.add(serverOffset);
      if (state.loading) continue;
      if (isDown && state.atNewest) break;
      isDown ||= state.atStart || state.older === 'stuck';
      if (isDown) tab.client.loadNewer(id, WINDOW_STEP_LINES);
      else tab.client.loadOlder(id, WINDOW_STEP_LINES);
    }
    for (const store of ['log', 'detached'])
      for (const entry of browser.disk.read<HeldEntry>(database, store))
        if (entry.room === id && isLine(entry) && !shown.has(entry.serverOffset))
          run.broken('S3', `${id} ${entry.serverOffset} is held, and cannot be reached without a network`);
  }
}
