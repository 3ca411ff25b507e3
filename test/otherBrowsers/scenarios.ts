/** The scenarios for every browser; one test file per browser runs them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { copyBuild, withoutChunk } from '../support/pageBuild.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { waitFor } from '../support/waitFor.ts';
import type { Browser } from './browser.ts';
import {
  editsAfter,
  fieldText,
  getFocus,
  isEmpty,
  isSaid,
  isThere,
  newestShown,
  openedAt,
  readGap,
  readMark,
  readPieces,
  scrollToTop,
  scrollUp,
  sendsHere,
  takesKey,
  untilDatabasesRest,
  untilInstalled,
  watchNewest,
} from './inPage.ts';
import { all, openApp, type Person, said } from './person.ts';
import { setStage } from './stage.ts';

/** Skipped if the browser is not available on this system. */
export function scenarios(name: string, start: () => Promise<Browser>, canBeHere = true): void {
  describe.runIf(canBeHere)(name, () => {
    test('O1 O2 messages written offline survive a restart of the browser; with a network, all are sent, in order, once', async () => {
      const { network, browser, bodies } = await setStage(start);
      const before = await openApp(browser, network.url);
      await before.signUp('Ada');
      await before.write('With a network');
      await before.sees('it is sent', all('Sent'));
      await before.tab.run(untilInstalled);

      network.refuse();
      const written = numbered('Written offline', 12);
      for (const body of written) await before.write(body);
      await browser.restart();

      const after = await openApp(browser, network.url); // from the service worker: the proxy still refuses connections
      await after.enterLobby();
      const lines = await after.sees('all that was written', ({ length }) => length > written.length);
      expect(lines.map(said)).toEqual([
        'With a network (Sent)',
        ...written.map((body) => `${body} (Queued)`),
      ]);

      network.pass(); // without any action of the user
      const sent = await after.sees('all sent', all('Sent'));
      expect(sent.map(({ body }) => body)).toEqual(['With a network', ...written]);
      expect(await bodies()).toEqual(['With a network', ...written]);
    });

    test('O2 chunks that failed to load once are loaded later, without a reload, and nothing runs twice; bare keys alone edit; on touch, Enter sends with Ctrl or ⌘', async () => {
      const folder = await temporaryFolder();
      onTestFinished(() => folder.remove());
      await copyBuild(folder.path);
      const away = [await withoutChunk(folder.path, 'later'), await withoutChunk(folder.path, 'lazyViews')];
      const { network, browser, bodies } = await setStage(start, folder.path);
      const ada = await openApp(browser, network.url);
      const { tab } = ada;
      const opened = await tab.run(openedAt);
      await ada.nameOneself('Ada');
      await waitFor('the person is told', () => tab.run(isSaid, 'The server cannot be reached'));

      for (const putBack of away) await putBack();
      await fetch(network.url); // the server reads the folder again
      await waitFor('signed up', async () => {
        await tab.click('.hello button[type=submit]').catch(() => {}); // it may have gone meanwhile
        return tab.run(isThere, '.composer');
      });
      await ada.write('Here after all');
      await ada.sees('it is sent', all('Sent'));
      expect(await bodies()).toEqual(['Here after all']);

      // the keys of the empty field
      for (const held of ['ctrlKey', 'shiftKey', 'altKey', 'metaKey'])
        expect(await tab.run(editsAfter, { key: 'ArrowUp', [held]: true }), held).toBe(false);
      await waitFor('the newest message is edited', () => tab.run(editsAfter, { key: 'ArrowUp' }));
      expect(await tab.run(editsAfter, { key: 'Escape', isComposing: true })).toBe(true);
      expect(await tab.run(editsAfter, { key: 'Escape', keyCode: 229 })).toBe(true); // WebKit, after the composition
      expect(await tab.run(editsAfter, { key: 'Escape' })).toBe(false);

      expect(await tab.run(takesKey, 'On touch', { key: 'Enter' })).toBe(false); // a new line
      for (const held of ['ctrlKey', 'metaKey']) {
        const body = `Sent by ${held}`;
        expect(await tab.run(takesKey, body, { key: 'Enter', [held]: true }), held).toBe(true);
        await ada.sees(body, (lines) => lines.some((line) => line.body === body));
        await waitFor('the field is empty', () => tab.run(isEmpty, '.composer textarea'));
      }

      await tab.click('button[aria-label="Menu"]');
      await waitFor('the menu', () => tab.run(isThere, '[role=dialog], dialog'));
      expect(await tab.run(openedAt)).toBe(opened);
    });

    test('S3 S2 1,000 missed messages: the newest show first; offline, what is held below the gap shows; no hole is left after scrolling up; Up edits the newest own message from there', async () => {
      const { network, browser, bodies, othersWrite } = await setStage(start);
      const reader = await openApp(browser, network.url);
      await reader.signUp('Ada');
      await reader.write('Before it went');
      await reader.sees('it is sent', all('Sent'));

      network.refuse();
      await othersWrite(numbered('Missed', 1_000));
      await reader.tab.run(watchNewest);
      network.pass();
      await reader.sees('the newest', (lines) => lines.at(-1)?.body === 'Missed 1000');
      const [before, ...news] = await reader.tab.run(newestShown);
      expect(before).toBe('Before it went');
      const newest50 = numbered('Missed', 1_000).slice(-50); // the line above the gap and 49 of them, then all
      expect(news.filter((body) => !newest50.includes(body))).toEqual([]);

      network.refuse();
      await waitFor('what is held below the gap', async () => {
        await reader.tab.run(scrollToTop);
        const pieces = await reader.tab.run(readPieces);
        return pieces.length === 2 && pieces[0]!.join() === 'Before it went';
      });
      await waitFor('what the gap says', async () =>
        /load up to \d+ messages/.test(await reader.tab.run(readGap)),
      );
      await waitFor('the way to the newest', () => reader.tab.run(isThere, '.pill'));
      await reader.tab.click('.pill');
      await reader.tab.run(getFocus);
      await waitFor('it is read', async () => (await reader.tab.run(readMark)) > 1_000); // so the room opens at the newest
      network.pass();
      const again = await openApp(browser, network.url);
      await reader.tab.close(); // it fills the gap in its view
      await again.enterLobby();
      await again.sees('the newest', (lines) => lines.at(-1)?.body === 'Missed 1000');
      await again.write('The newest');
      await again.sees('it is sent', (lines) => lines.at(-1)!.state === 'Sent');
      await readUpwards(again, await bodies());
      expect((await again.log()).some(({ body }) => body === 'The newest')).toBe(false); // another own one is in the window
      await waitFor('a message is edited', () => again.tab.run(editsAfter, { key: 'ArrowUp' }));
      expect(await again.tab.run(fieldText)).toBe('The newest');
    });

    test('S5 O2 L3 L5 three tabs send at once, the sending tab is frozen, the next one closed: one order, no repeats', async () => {
      const { network, browser, bodies } = await setStage(start);
      const first = await openApp(browser, network.url);
      await first.signUp('Ada');
      const tabs = [first, await openApp(browser, network.url), await openApp(browser, network.url)];
      for (const other of tabs.slice(1)) await other.enterLobby();
      const written: string[] = [];
      const eachWrites = (people: Person[], count: number) =>
        Promise.all(
          people.map(async (person) => {
            for (const body of numbered(`Tab ${tabs.indexOf(person)} at ${written.length}`, count)) {
              written.push(body);
              await person.write(body);
            }
          }),
        );
      /** Swallows answers while a tab sends; resolves with that tab. */
      const caughtSending = async (people: Person[], silence: () => void) => {
        // The app detects this 12 s after the last received frame, so let it receive one now.
        for (const person of people) await person.sees('all sent', all('Sent'));
        silence();
        await eachWrites(people.slice(0, 1), 1);
        const sender = await waitFor('one of them sends', async () => {
          for (const person of people) if (await person.tab.run(sendsHere)) return person;
          return undefined;
        });
        await sender.sees('it is under way', (lines) => lines.at(-1)!.state === 'Sending');
        return sender;
      };
      const comesBack = () => {
        network.cut();
        network.pass();
      };

      await eachWrites(tabs, 3);
      const frozen = await caughtSending(tabs, network.stall); // the server receives nothing
      await frozen.tab.run(untilDatabasesRest); // a transaction of a frozen page would block the other tabs
      await frozen.tab.freeze();
      const two = tabs.filter((person) => person !== frozen);
      await eachWrites(two, 2);
      comesBack();
      const closed = await caughtSending(two, network.swallowAnswers); // the server has the items, but their sender gets no answer
      const last = two.find((person) => person !== closed)!;
      await eachWrites([last], 2);
      const order = (await last.log()).map(({ body }) => body);
      await closed.tab.close();
      comesBack();
      await last.sees('all sent', all('Sent'));

      frozen.tab.thaw();
      await frozen.write('Thawed');
      const expected = [...order, 'Thawed'];
      for (const person of [frozen, last]) {
        const lines = await person.sees('all', ({ length }) => length === expected.length);
        expect(lines.map(({ body }) => body)).toEqual(expected);
      }
      await last.sees('all sent', all('Sent'));
      expect(await bodies()).toEqual(expected);
      expect(order.toSorted()).toEqual(written.toSorted());
      for (const tab of tabs.keys()) {
        const its = (body: string) => body.startsWith(`Tab ${tab} `);
        expect(order.filter(its)).toEqual(written.filter(its));
      }
    });
  });
}

function numbered(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${what} ${i + 1}`);
}

/**
 * Scrolls up to the oldest message. At all times the screen must show contiguous pieces of the log with a gap between them, and
 * each step must continue where the previous one ended.
 */
async function readUpwards(reader: Person, log: readonly string[]): Promise<void> {
  let below = log.length;
  for (;;) {
    const pieces = await reader.tab.run(readPieces);
    for (const piece of pieces) expect(piece).toEqual(onFrom(piece[0]!, piece.length));
    const lowest = pieces.at(-1)!;
    const from = log.indexOf(lowest[0]!);
    expect(from + lowest.length).toBeGreaterThanOrEqual(below);
    if (from === 0) return;
    below = from;
    await reader.tab.run(scrollUp);
    await waitFor('older ones', async () => (await reader.tab.run(readPieces)).at(-1)![0] !== lowest[0]);
  }

  function onFrom(first: string, count: number): string[] {
    const from = log.indexOf(first);
    return log.slice(from, from + count);
  }
}
