/** The end of a run: without further faults, everything promised must happen by itself (O2, S2, S3, S4, S5). */

import { pairOf } from '../../../shared/directPair.ts';
import type { Line } from '../../../shared/fold.ts';
import { isParkedWithRoom } from '../../../web/db/settleRows.ts';
import { LEGACY_LOG_STORES } from '../../../web/db/userDatabase.ts';
import { WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import { isCreationRow, type Row } from '../../../web/records/row.ts';
import type { HeldEntry } from '../../../web/records/storedRecords.ts';
import type { Message } from '../../../web/state/model.ts';
import { TEST_FEATURE } from '../../support/testKinds.ts';
import type { Tab } from './browser.ts';
import { isOver } from './ledger.ts';
import { type LogRoom, linesOf, reactionsTo } from './logs.ts';
import { startOffline } from './offlineStart.ts';
import { isOfLineage, rowsOf } from './promises.ts';
import type { Run } from './run.ts';
import { OWN_FEATURES } from './server.ts';
import { checkMarks, countsUnread } from './sightings.ts';
import { endFault } from './surroundings.ts';

/** Longer than any wait of client or server: a retryAfter, the interval of `heads`, two of the longest backoffs. */
const KIND_MS = 150_000;
/** The share of runs that start without a network before they end. */
const OFTEN_OFFLINE = 0.3;

export async function end(run: Run): Promise<void> {
  const { ill, server, world, browser, people, network } = run;
  ill.kind();
  endFault(run);
  if (world.random.next() < OFTEN_OFFLINE) await startOffline(run);
  if (run.breach) return;
  ill.unreachable = false;
  server.up = true;
  server.features = [...OWN_FEATURES, TEST_FEATURE];
  server.bye(); // a newer version: connected clients see the feature after a reconnect
  for (const room of run.rooms()) server.heal(room.id);
  world.note('from here on all is kind');
  for (const tab of browser.tabs()) {
    network.beforeAnswer(tab, () => {});
    tab.thaw();
    tab.visible = true;
    world.after(0, () => tab.says('visible'));
  }
  if (browser.tabs().length === 0) browser.openTab();
  await world.pass(15_000); // everything in flight arrives, for instance a `leave`
  for (const room of run.rooms()) for (const user of people) server.come(room.id, user);
  await world.pass(1_000);
  const last = browser.tabs()[0]!.signedIn()?.user.id;
  for (const user of last === people[0] ? people : people.toReversed()) {
    await signIn(run, user);
    if (run.breach) return;
    await allSent(run, user);
    if (run.breach) return;
    for (const room of run.rooms()) // also those that were made only now
      for (const one of people) if (!room.members.has(one)) server.come(room.id, one);
    for (const room of run.rooms())
      if (!pairOf(room.id)) server.say(room, { author: run.ada, kind: 'about', ...{ name: `of ${user}` } }); // live
    for (const tab of browser.tabs()) await allShown(run, user, tab);
    if (run.breach) return;
    const isMoved = () =>
      LEGACY_LOG_STORES.every((store) => browser.disk.read(`holdfast:${user}`, store).length === 0);
    await until(run, 'S1', 'what an older version held is moved', isMoved);
    // a hole of own acknowledged entries alone is not on the screen: the next welcome has it fetched (uncoveredAcks.ts)
    if (run.rooms().some((room) => !isWhole(run, user, room))) network.breakSome('all');
    await until(run, 'S2 S3', 'each log is held whole', () =>
      run.rooms().every((room) => isWhole(run, user, room)),
    );
    checkEnd(run, user);
    for (const room of run.rooms())
      await until(run, 'S1', `${room.name} counts what is unread`, () =>
        countsUnread(run, user, browser.tabs()[0]!, room),
      );
  }
}

async function signIn(run: Run, user: string): Promise<void> {
  const { browser, server } = run;
  const tab = browser.tabs()[0]!;
  const isSignedOut = (each: Tab) => each.signedIn()?.connection.tag === 'signed-out';
  const isIn = (each: Tab) => each.signedIn()?.user.id === user && each.signedIn()!.connection.tag === 'live';
  await until(run, 'O2', `${server.names.get(user)} is in, in every tab`, () => {
    const app = tab.app();
    if (app.tag === 'signed-in' && app.user.id !== user) void tab.client.signOut();
    else if (app.tag === 'signed-out' || browser.tabs().some(isSignedOut))
      void tab.client.signIn(server.names.get(user)!, 'a password');
    return browser.tabs().every(isIn);
  });
}

/** Retries every message that was not sent; those that are refused again have a permanent reason. */
async function allSent(run: Run, user: string): Promise<void> {
  const { browser } = run;
  const tab = browser.tabs()[0]!;
  const isSent = () => waitingOf(run, user).length === 0;
  const parked = () => rowsOf(browser.disk, user).filter(({ state }) => state.tag === 'parked');
  for (let round = 0; round < 2; round++) {
    await until(run, 'O2', 'nothing waits', isSent);
    for (const row of behindNoRoom(run, user))
      run.broken('O2', `“${row.body}” waits for a room that is made`);
    for (const row of parked()) void tab.client.retry(row.clientOffset);
    await run.world.pass(100);
    if (run.breach) return;
  }
  await until(run, 'O2', 'nothing waits', isSent);
}

/** Rows that were parked with the row that makes their room, which is settled. */
function behindNoRoom(run: Run, user: string): Row[] {
  const rows = rowsOf(run.browser.disk, user);
  const unmade = new Set(rows.filter(isCreationRow).map(({ room }) => room));
  return rows.filter((row) => isParkedWithRoom(row) && !unmade.has(row.room));
}

/** An amendment of an unsent message waits for that message. */
function waitingOf(run: Run, user: string): Row[] {
  const rows = rowsOf(run.browser.disk, user);
  const parked = new Set(
    rows.flatMap(({ state, clientOffset }) => (state.tag === 'parked' ? clientOffset : [])),
  );
  return rows.filter(
    (row) => row.state.tag !== 'parked' && !(row.target !== undefined && parked.has(row.target)),
  );
}

async function allShown(run: Run, user: string, tab: Tab): Promise<void> {
  for (const room of run.rooms()) {
    tab.look(room.id);
    tab.client.toNewest(room.id);
    await until(run, 'S2 S3 S5', `${tab.name} shows the end of ${room.name}`, () => {
      const { atNewest, loading } = tab.client.conversation(room.id).get();
      if (!atNewest && !loading) tab.client.toNewest(room.id); // after a restore it has opened again, at the first unread message
      return isEnd(run, user, tab, room);
    });
    await until(run, 'S1', `${tab.name} calls ${room.name} what it is called now`, () =>
      isNamed(run, tab, room),
    );
    if (tab !== run.browser.tabs()[0]) continue;
    for (let pages = 0; pages < room.log.length && !run.breach; pages++) {
      const state = tab.client.conversation(room.id).get();
      if (state.atStart && state.gaps.length === 0) break;
      const before = state.messages[0]?.key;
      const gaps = JSON.stringify(state.gaps);
      await until(run, 'S3', `${tab.name} shows what is older in ${room.name}`, () => {
        const now = tab.client.conversation(room.id).get();
        const gap = now.gaps.at(-1);
        if (gap) tab.client.loadBetween(room.id, gap, 'upper');
        else tab.client.loadOlder(room.id, WINDOW_STEP_LINES); // has no effect while it is loading
        const isMore = now.messages[0]?.key !== before || now.atStart;
        return gaps === '[]' ? isMore : gaps !== JSON.stringify(now.gaps);
      });
      await until(run, 'S3', `${tab.name} shows ${room.name} as it is`, () => isPiece(run, tab, room));
    }
    tab.client.toNewest(room.id);
  }
}

/** The list of rooms has the name, the description and the pinned message of the newest changes in the log. */
function isNamed(run: Run, tab: Tab, room: LogRoom): boolean {
  if (pairOf(room.id)) return true;
  const shownRoom = tab.signedIn()?.rooms.find(({ id }) => id === room.id);
  const { name, about } = run.server.named(room);
  return (
    shownRoom?.name === name &&
    shownRoom.about?.description === about?.description &&
    (shownRoom.about?.pinned ?? 0) === (about?.pinned ?? 0)
  );
}

/** The newest lines, and after them the messages that were not sent. */
function isEnd(run: Run, user: string, tab: Tab, room: LogRoom): boolean {
  const rows = rowsOf(run.browser.disk, user);
  const state = tab.client.conversation(room.id).get();
  if (state.loading || !state.atNewest || !isPiece(run, tab, room)) return false;
  const sent = state.messages.filter(({ serverOffset }) => serverOffset !== undefined);
  const newest = rows.filter((row) => row.room === room.id && row.kind === 'text').at(-1);
  if (newest && !state.messages.some(({ key }) => key === `${user} ${newest.clientOffset}`)) return false;
  const last = linesOf(room).at(-1);
  // there may be no lines above the first hole, and the queued messages may fill the window
  if (sent.length === 0) return !last || !state.atStart || state.messages.length > 0;
  return sent.at(-1)!.serverOffset === last?.serverOffset;
}

/** The shown lines are exactly those of the log between the first and the last of them, apart from shown gaps. */
function isPiece(run: Run, tab: Tab, room: LogRoom): boolean {
  const { messages, gaps } = tab.client.conversation(room.id).get();
  const sent = messages.filter(({ serverOffset }) => serverOffset !== undefined);
  const [first, last] = [sent[0]?.serverOffset ?? 1, sent.at(-1)?.serverOffset ?? 0];
  const isInGap = (offset: number) => gaps.some(({ from, to }) => from <= offset && offset <= to);
  const lines = linesOf(room).filter(
    ({ serverOffset }) => first <= serverOffset && serverOffset <= last && !isInGap(serverOffset),
  );
  const user = tab.signedIn()?.user.id;
  return (
    lines.length === sent.length &&
    lines.every((line, i) => isLine(line, sent[i]!, run.server.names) && areCounted(room, sent[i]!, user))
  );
}

/** The reactions below a message are those of the log. */
function areCounted(
  room: LogRoom,
  { serverOffset, content, reactions = [] }: Message,
  user: string | undefined,
) {
  if (content.tag !== 'text') return reactions.length === 0;
  const [counted] = reactionsTo(room, new Set([serverOffset!]), user);
  const { counts = [], mine = [] } = counted ?? {};
  const expected = counts.map(({ emoji, count }) => `${emoji} ${count} ${mine.includes(emoji)}`);
  const shown = reactions.map((one) => `${one.emoji} ${one.count} ${one.mine}`);
  return shown.sort().join() === expected.sort().join();
}

function isLine(line: Line, message: Message, names: ReadonlyMap<string, string>): boolean {
  if (message.author.name !== names.get(line.author)) return false;
  if (line.serverOffset !== message.serverOffset || line.author !== message.author.id) return false;
  if (message.pending !== 'none') return true; // an amendment of it was not sent
  if (line.tag === 'text') return message.content.tag === 'text' && message.content.body === line.body;
  return message.content.tag === line.tag;
}

function isWhole({ browser }: Run, user: string, room: LogRoom): boolean {
  const spans = browser.disk.read<{ room: string; from: number; to: number }>(`holdfast:${user}`, 'logSpans');
  const [only, ...more] = spans.filter((span) => span.room === room.id);
  return more.length === 0 && only?.from === 1 && only.to === room.log.length;
}

/** The stored logs equal the server's, every written message is there, and the last amendment of each applies. */
function checkEnd(run: Run, user: string): void {
  const { browser, ledger, known, server } = run;
  run.look();
  const rows = rowsOf(browser.disk, user);
  for (const room of run.rooms()) {
    const spans = browser.disk.read<{ room: string; from: number; to: number }>(
      `holdfast:${user}`,
      'logSpans',
    );
    const mine = spans.filter((span) => span.room === room.id);
    if (mine.length !== 1 || mine[0]!.from !== 1 || mine[0]!.to !== room.log.length)
      run.broken('S2 S3', `${room.name} has ${room.log.length} entries, held are ${JSON.stringify(mine)}`);
    checkMarks(run, user, room);
  }
  for (const store of ['log', 'detached'])
    for (const entry of browser.disk.read<HeldEntry>(`holdfast:${user}`, store))
      if (server.logs.room(entry.room) && !isOfLineage(server.logs.now(), entry.room, [entry]))
        run.broken('S1', `${entry.room} ${entry.serverOffset} is held of a log that is no more`);
  const waiting = new Set(rows.flatMap((row) => row.body ?? []));
  for (const body of ledger.all()) {
    if (body.of.user !== user || body.accepted === undefined || waiting.has(body.text)) continue;
    if (isOver(body, (text) => waiting.has(text) || known.appended.has(text))) continue;
    if (!known.appended.has(body.text)) run.broken('O2', `“${body.text}” was taken and never sent`);
    if (server.logs.lineages().length > 1 || body.of.isShared || body.of.mayComeLate) continue;
    if (body.of.givenUpAt !== undefined) continue;
    const line = linesOf(server.logs.room(body.of.room)!).find(
      (each) => each.tag === 'text' && each.body === body.text,
    );
    if (!line) run.broken('O4', `“${body.text}” was the last that was said, and does not hold`);
  }
}

async function until(run: Run, rule: string, what: string, isSo: () => boolean): Promise<void> {
  const { world } = run;
  for (let ms = 0; ms < KIND_MS; ms += 500) {
    if (run.breach) return;
    await world.settle();
    if (isSo()) return;
    await world.pass(500);
    run.look();
  }
  const states = run.people.map((user) =>
    rowsOf(run.browser.disk, user).map(({ kind, state }) => `${kind} ${state.tag}`),
  );
  run.broken(rule, `it did not come to this: ${what} (${JSON.stringify(states)})`);
}
