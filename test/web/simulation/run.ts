/** One run: its parts, and the checks of the promises during the run. */

import { idFrom } from '../../../shared/mint.ts';
import type { Item } from '../../../shared/protocol/index.ts';
import { useTestKinds } from '../../support/testKinds.ts';
import { type Browser, createBrowser } from './browser.ts';
import { createIll, type Ill } from './ill.ts';
import { type Body, createLedger, isOf, isOver, type Ledger } from './ledger.ts';
import type { Lineage, LogRoom } from './logs.ts';
import { contentOf } from './logs.ts';
import { createNetwork, type Network, type Station } from './network.ts';
import { checkDatabase, checkEmitted, type Known, rowsOf, userOf } from './promises.ts';
import { checkScreen } from './screens.ts';
import { createServer, type Server } from './server.ts';
import { createSightings, type Sightings } from './sightings.ts';
import { STORIES, type Story, type StoryName, storyOf } from './stories.ts';
import { createWorld, type World } from './world.ts';

export interface Run {
  seed: number;
  world: World;
  story: Story;
  ill: Ill;
  server: Server;
  network: Network;
  browser: Browser;
  ledger: Ledger;
  sightings: Sightings;
  /** Stored items of other kinds, by their contents, which are unique. */
  kept: Map<string, { user: string; item: Item; isTaken: boolean }>;
  known: Known;
  /** The two users who share the browser. */
  people: [string, string];
  ada: string;
  /** An older copy of the server's data, if there is one. */
  copy: Lineage | undefined;
  /** The databases have faults, or had them just now: screens may be stale. */
  isFaulty: boolean;
  rooms(): LogRoom[];
  /** The station with an append in flight. */
  sender(): Station | undefined;
  /** Checks everything that is observable now. */
  look(): void;
  broken(rule: string, sentence: string): void;
  breach: string | undefined;
}

export function createRun(seed: number, about?: StoryName): Run {
  const world = createWorld(seed);
  const { random } = world;
  const newId = () => idFrom(random.bytes(16));
  const chosen = storyOf(random);
  const story = about ? STORIES[about] : chosen;
  const ill = createIll(random, story.rates);
  const ledger = createLedger();
  const kept: Run['kept'] = new Map();
  const appendedContents = new Set<string>();
  const appended = new Map<string, Lineage>();
  const announced = new Set<string>();
  const unsure = new Set<string>();
  /** The last append of each user that is not answered yet. */
  const underWay = new Map<string, { station: Station; payload: unknown; items: readonly Item[] }>();
  const sentAs = new Map<string, string>();
  /** Since the last look; `as`: the user of the append. */
  let acknowledged: { station: Station; as: string; keys: string[] }[] = [];

  const server = createServer({
    world,
    ill,
    newId,
    witness: {
      arrived: (user, items) => world.note(`append of ${name(user)}: ${items.map(say).join(', ')}`),
      announced: (user, room, from) => void announced.add(`${user} ${room} ${from}`),
      lacked: (_, item) => run.broken('O2', `${say(item)} is sent to a server that lacks its feature`),
      refused(_, item, code) {
        world.note(`refused: ${say(item)}: ${code}`);
        if (code === 'unavailable' || code === 'rate-limited') return; // it keeps its position
        const text = ledger.find(item.body ?? '');
        if (!text) return;
        text.isRefused = true;
        text.of.mayComeLate = true;
      },
      appended(room, user, item, entry) {
        world.note(`${room.name} ${entry.serverOffset}: ${say(item)}`);
        appendedContents.add(contentOf(item));
        if (item.kind.startsWith('test-') && item.kind !== 'test-reaction' && !kept.has(contentOf(item)))
          run.broken('O4', `${item.kind} is in the log otherwise than it was queued`);
        if (item.body === undefined) return;
        if (!isOf(item.body, user)) run.broken('O5', `“${item.body}” is sent by ${name(user)}`);
        const body = ledger.find(item.body);
        if (!body) return run.broken('O5', `“${item.body}” was never written`);
        if (body.of.room !== room.id) run.broken('O4', `“${item.body}” is sent to another room`);
        if (appended.get(item.body) === server.logs.now())
          run.broken('L3', `“${item.body}” is in the log twice`);
        if ((body.abandoned || body.isTold) && !known.commitsLate)
          run.broken('O3', `“${item.body}” was told as not stored, and is sent`);
        checkOrder(body.of.user, room, placeOf(body, item.kind), item.body);
        appended.set(item.body, server.logs.now());
      },
    },
  });
  const network = createNetwork({ world, server, ill });
  const browser = createBrowser({
    world,
    network,
    haveLocks: story.haveLocks,
    heard: {
      emitting(station, payload) {
        const { as } = payload;
        const items = payload.items as Item[];
        world.note(`${station.name} sends ${items.map(say).join(', ')}`);
        for (const item of items) {
          const before = sentAs.get(item.clientOffset);
          if (before !== undefined && before !== contentOf(item))
            run.broken('O4', `${say(item)} was sent as ${before}`);
          sentAs.set(item.clientOffset, contentOf(item));
        }
        const mayBe = (drain: string | undefined) =>
          !browser.hasLocks || (drain !== undefined && browser.minter(drain) === station.name);
        checkEmitted(browser.disk, as, items, mayBe, run.broken);
        underWay.set(as, { station, payload, items });
      },
      answered(station, answer, payload) {
        for (const [user, each] of underWay) if (each.payload === payload) underWay.delete(user);
        const { results = [] } = answer as { results?: { clientOffset: string; serverOffset?: number }[] };
        const keys = results.flatMap((result) => (result.serverOffset ? result.clientOffset : []));
        acknowledged.push({ station, as: (payload as { as: string }).as, keys });
      },
      disconnected: forgetUnderWay,
      committed(database) {
        if (userOf(database) !== undefined) checkDatabase(known, database, run.broken);
      },
      told(change) {
        const { type, rooms } = change as { type?: string; rooms?: string[] };
        if (type === 'all') unsure.clear();
        for (const room of rooms ?? []) unsure.delete(room);
      },
      silenced() {
        for (const { id } of run.rooms()) unsure.add(id);
      },
    },
  });
  const known: Known = {
    isUser: (id) => server.names.has(id),
    logs: server.logs,
    disk: browser.disk,
    ledger,
    appended: appended as unknown as ReadonlySet<string>,
    kept,
    appendedContents,
    failing: server.failing,
    announced,
    mayBeginAnywhere: false,
    mayEvict: false,
    heldBefore: new Map(),
    commitsLate: false,
  };
  useTestKinds();
  const name = (user: string) => server.names.get(user) ?? user;
  const people = ['Mika', 'Lin', 'Ada'].map((each) => {
    const id = newId();
    server.names.set(id, each);
    return id;
  });

  function forgetUnderWay(station: Station): void {
    for (const [user, each] of underWay) if (each.station === station) underWay.delete(user);
  }

  /** When its row was written: a text that is changed before it is sent keeps its position. */
  function placeOf(body: Body, kind: Item['kind']): number {
    const { bodies } = body.of;
    if (kind === 'text') return bodies[0]!.asked; // also if it was refused and replaced by another text
    const isReplaced = ({ text, isRefused }: Body) => isRefused || !appended.has(text);
    return bodies.slice(1).find((each) => each === body || isReplaced(each))?.asked ?? 0;
  }

  /** Messages that were stored before it was written are in the log before it (L5). */
  function checkOrder(user: string, room: LogRoom, asked: number, text: string): void {
    for (const body of ledger.all()) {
      const { of, accepted } = body;
      if (of.user !== user || of.room !== room.id || accepted === undefined || accepted >= asked) continue;
      if (of.mayComeLate || appended.has(body.text) || isOver(body, (each) => appended.has(each))) continue;
      run.broken('L5', `“${text}” is in the log before “${body.text}”`);
    }
  }

  function look(): void {
    if (!world.isSettled()) return;
    for (const database of browser.disk.names()) checkDatabase(known, database, run.broken);
    if (run.isFaulty) {
      acknowledged = [];
      return;
    }
    for (const tab of browser.tabs()) checkScreen(tab, browser.disk, server.logs, unsure, run.broken);
    for (const { station, as, keys } of acknowledged) {
      if (station.isDead() || hasLeft(station, as)) continue; // who comes back has it sent again
      for (const user of people)
        for (const row of rowsOf(browser.disk, user))
          if (keys.includes(row.clientOffset))
            run.broken('O3', `${row.clientOffset} is acknowledged, and is ${row.state.tag}`);
    }
    acknowledged = [];
    if (browser.hasLocks) for (const [user, each] of underWay) checkUnderWay(user, each.station, each.items);
  }

  /** Somebody else has signed in there by now. */
  function hasLeft({ name }: Station, user: string): boolean {
    const shown = browser
      .tabs()
      .find((tab) => tab.name === name)
      ?.signedIn();
    return shown !== undefined && shown.user.id !== user;
  }

  function checkUnderWay(user: string, station: Station, items: readonly Item[]): void {
    if (station.isDead() || station.name.startsWith('worker')) return;
    const keys = new Set(items.map(({ clientOffset }) => clientOffset));
    for (const row of rowsOf(browser.disk, user))
      if (keys.has(row.clientOffset) && (row.state.tag === 'queued' || row.state.tag === 'parked'))
        run.broken('O3', `${row.clientOffset} is under way, and is ${row.state.tag}`);
  }

  const run: Run = {
    seed,
    world,
    story,
    ill,
    server,
    network,
    browser,
    ledger,
    sightings: createSightings(),
    kept,
    known,
    people: [people[0]!, people[1]!],
    ada: people[2]!,
    copy: undefined,
    isFaulty: false,
    sender: () => underWay.values().next().value?.station,
    rooms: () => [...server.logs.now().rooms.values()],
    look,
    broken(rule, sentence) {
      run.breach ??= `${rule}: ${sentence}`;
    },
    breach: undefined,
  };
  return run;
}

function say(item: Item): string {
  if (item.body !== undefined) return `${item.kind} “${item.body.slice(0, 20)}”`;
  const { target } = item;
  return `${item.kind} of ${(typeof target === 'string' ? target : target?.clientOffset)?.slice(0, 6)}`;
}
