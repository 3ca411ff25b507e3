/** Events that the users do not cause: of the browser, its disk, the network, the server, and other users. */

import { pairOf } from '../../../shared/directPair.ts';
import { isMessage } from '../../../shared/kinds.ts';
import { WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import { TEST_FEATURE } from '../../support/testKinds.ts';
import { bodyOf, type LogRoom, shown } from './logs.ts';
import { edit, isModerated, remove, type Steps } from './person.ts';
import { userOf } from './promises.ts';
import type { Run } from './run.ts';
import { OWN_FEATURES } from './server.ts';

/** Each event with its weight. */
export const SURROUNDINGS: Steps = [
  [3, openTab],
  [2, killTab],
  [1, restartBrowser],
  [1, updateApp],
  [2, freeze],
  [3, freezeSender],
  [2, freezeReader],
  [3, thaw],
  [1, thawOther],
  [3, hideOrShow],
  [3, browserSays],
  [3, breakConnections],
  [3, network],
  [2, wakeWorker],
  [1, setClock],
  [4, faultyStorage],
  [8, othersWrite],
  [2, othersWriteMuch],
  [5, othersAmend],
  [3, otherDevice],
  [2, comeOrLeave],
  [1, sessionEnds],
  [2, copyData],
  [1, restartServer],
  [2, putBack],
  [1, putBackUnderChange],
  [1, bye],
  [2, featureComesOrGoes],
  [2, roomFails],
  [2, rename],
  [3, othersSay],
  [2, changeRoom],
];

const TABS = 3;

export function openTab({ browser }: Run): string | undefined {
  return browser.tabs().length < TABS ? `${browser.openTab().name} opens` : undefined;
}

export function killTab({ browser, world }: Run): string | undefined {
  const tabs = browser.tabs();
  if (tabs.length < 2) return undefined;
  const tab = world.random.pick(tabs);
  tab.kill();
  return `${tab.name} is killed`;
}

export function restartBrowser({ browser }: Run): string {
  for (const tab of browser.tabs()) tab.kill();
  return `the browser is killed, and ${browser.openTab().name} opens`;
}

/** Updates the app: the previous version had the logs in other stores, and their migration may be interrupted at any time. */
export function updateApp({ browser }: Run): string | undefined {
  for (const tab of browser.tabs()) tab.kill();
  const { disk } = browser;
  const aged = disk.names().filter((name) => userOf(name) !== undefined && disk.age(name));
  return `the app is updated, with ${aged.length} older databases, and ${browser.openTab().name} opens`;
}

/** Freezes a tab, with or without events, or through the back-forward cache. */
export function freeze({ browser, world }: Run): string | undefined {
  const tabs = browser.tabs().filter((tab) => !tab.isFrozen());
  if (tabs.length === 0) return undefined;
  const tab = world.random.pick(tabs);
  const how = world.random.pick(['freeze', 'pagehide', undefined, undefined] as const);
  if (how) tab.says(how);
  tab.freeze();
  return `${tab.name} stands still (${how ?? 'untold'})`;
}

/** Freezes the sending tab without an event. */
export function freezeSender({ browser, sender }: Run): string | undefined {
  const tab = browser.tabs().find((each) => each === sender() && !each.isFrozen());
  tab?.freeze();
  return tab && `${tab.name} stands still while it sends`;
}

/** Freezes a tab when the answer to its range arrives: it is handled after the thaw, though other tabs went on meanwhile. */
export function freezeReader({ browser, network, world }: Run): string | undefined {
  const tab = world.random.pick(browser.tabs());
  if (tab.isFrozen() || tab.looking === undefined) return undefined;
  tab.client.loadOlder(tab.looking, WINDOW_STEP_LINES);
  network.beforeAnswer(tab, () => {
    if (tab.isDead() || tab.isFrozen()) return;
    tab.freeze();
    world.note(`— ${tab.name} stands still`);
  });
  return `${tab.name} will stand still when it is answered`;
}

export function thaw(run: Run, tab = run.browser.tabs().find((each) => each.isFrozen())): string | undefined {
  if (!tab) return undefined;
  const { world } = run;
  tab.thaw();
  const how = world.random.pick(['resume', 'pageshow', 'visible'] as const);
  world.after(0, () => tab.says(how));
  return `${tab.name} goes on (${how})`;
}

/** Thaws a tab while another one sends the rows that it may have sent. */
export function thawOther(run: Run): string | undefined {
  const sender = run.sender();
  const tab = run.browser.tabs().find((each) => each.isFrozen());
  return sender && sender !== tab ? thaw(run, tab) : undefined;
}

function hideOrShow({ browser, world }: Run): string | undefined {
  const tab = world.random.pick(browser.tabs());
  tab.visible = !tab.visible;
  tab.says(tab.visible ? 'visible' : 'hidden');
  return `${tab.name} is ${tab.visible ? 'shown' : 'hidden'}`;
}

function browserSays({ browser, world }: Run): string {
  const event = world.random.pick(['online', 'network-changed', 'visible', 'pageshow', 'offline'] as const);
  for (const tab of browser.tabs()) tab.says(event);
  return `the browser says ${event}`;
}

function breakConnections({ network, world }: Run): string {
  const how = world.random.pick(['all', 'one'] as const);
  network.breakSome(how);
  return `${how} of the connections breaks`;
}

export function network({ ill, network }: Run): string {
  ill.unreachable = !ill.unreachable;
  if (ill.unreachable) network.breakSome('all');
  return ill.unreachable ? 'the network is gone' : 'the network is back';
}

function wakeWorker({ browser }: Run): string {
  browser.wakeWorker();
  return 'the worker may wake';
}

function setClock({ browser, world }: Run): string {
  const by = world.random.pick([-3_600_000, 3_600_000]);
  browser.setClock(by);
  return `the clock is set by ${by}`;
}

export function faultyStorage(run: Run): string | undefined {
  const { browser, world, known } = run;
  const { faults } = browser.disk;
  if (run.isFaulty) return undefined;
  const fault = world.random.pick([
    'hangOpen',
    'hangRequests',
    'lateCommits',
    'quota',
    'killHandles',
  ] as const);
  run.isFaulty = true;
  if (fault === 'quota') {
    faults.quota(world.random.int(0, 2_000));
    known.mayBeginAnywhere = true;
    known.mayEvict = true;
  } else if (fault === 'killHandles') faults.killHandles();
  else faults[fault](true);
  known.commitsLate ||= fault === 'lateCommits' || (fault === 'hangRequests' && browser.disk.isCommitting());
  world.after(world.random.pick([200, 3_500, 15_000]), () => endFault(run));
  return `storage: ${fault}`;
}

/** Some time after the last fault, all screens must be correct again. */
export function endFault(run: Run): void {
  const { faults } = run.browser.disk;
  faults.quota(undefined);
  for (const fault of ['hangOpen', 'hangRequests', 'lateCommits'] as const) faults[fault](false);
  run.world.note('storage is well');
  run.world.after(25_000, () => {
    run.isFaulty = false;
  });
}

export function othersWrite(run: Run): string {
  const room = run.world.random.pick(run.rooms());
  run.server.write(room, run.ada, `${run.ada} ${room.log.length}`, mentioned(run, room));
  return `Ada writes in ${room.name}: ${room.log.length}`;
}

export function othersWriteMuch(run: Run): string {
  const room = run.world.random.pick(run.rooms());
  const count = run.world.random.int(4, 25);
  for (let i = 0; i < count; i++)
    if (run.world.random.next() < 0.3) amend(run, [run.ada], room);
    else run.server.write(room, run.ada, `${run.ada} ${room.log.length}`, mentioned(run, room));
  return `Ada writes ${count} in ${room.name}: ${room.log.length}`;
}

/** In every fifth seed both people, in every other message; in the others nobody. */
function mentioned({ seed, people }: Run, { log }: LogRoom): readonly string[] {
  return seed % 5 === 1 && log.length % 2 === 0 ? people : [];
}

export function othersAmend(run: Run): string | undefined {
  return amend(run, [run.ada]);
}

/** An amendment by the same user on another device. */
function otherDevice(run: Run): string | undefined {
  if (run.world.random.next() < 0.5) return amend(run, run.people);
  const room = run.world.random.pick(run.rooms());
  const user = run.world.random.pick(run.people);
  if (!room.members.has(user)) return undefined;
  run.server.write(room, user, `elsewhere ${user} ${room.log.length}`);
  return `${run.server.names.get(user)} writes elsewhere in ${room.name}: ${room.log.length}`;
}

export function amend(
  { world, rooms, server, ledger }: Run,
  authors: readonly string[],
  room = world.random.pick(rooms()),
): string | undefined {
  const texts = room.log.filter(
    ({ entry, isRedacted }) => entry.kind === 'text' && !isRedacted && authors.includes(entry.author),
  );
  if (texts.length === 0) return undefined;
  const { entry } = world.random.pick(world.random.next() < 0.5 ? texts.slice(-3) : texts); // mostly one of the newest
  const said = ledger.find(bodyOf(entry)!);
  if (said) said.of.isShared = true;
  const isEdit = world.random.next() < 0.5;
  server.amend(room, entry, isEdit ? `changed ${room.log.length}` : undefined);
  return `${room.name} ${entry.serverOffset} is ${isEdit ? 'edited' : 'deleted'} elsewhere: ${room.log.length}`;
}

/** In every eleventh seed, Ada removes people and bans them, as a moderator. */
function comeOrLeave({ world, rooms, people, server, ada, seed }: Run): string {
  const room = world.random.pick(rooms());
  const user = world.random.pick(people);
  const isIn = room.members.has(user);
  if (isIn && isModerated(seed))
    server.leave(room.id, user, ada, world.random.pick(['out-removed', 'out-banned']));
  else if (isIn) server.leave(room.id, user, world.random.next() < 0.3 ? ada : undefined);
  else server.come(room.id, user);
  return `${server.names.get(user)} ${isIn ? 'leaves' : 'comes into'} ${room.name} elsewhere`;
}

function sessionEnds({ browser, server }: Run): string | undefined {
  if (browser.jar.cookie === undefined) return undefined;
  server.signOut(browser.jar.cookie);
  return 'the session is ended elsewhere';
}

export function copyData(run: Run): string {
  run.copy = run.server.logs.copy();
  return 'the data is copied';
}

function restartServer({ server, world }: Run): string {
  server.stop();
  world.after(world.random.int(10, 8_000), () => {
    server.up = true;
  });
  return 'the server restarts';
}

/** Restores a copy, by `npm run restore`, which changes the epoch, or by hand. */
export function putBack(run: Run): string | undefined {
  const { server, world, copy, known } = run;
  if (!copy) return undefined;
  server.stop();
  const isByHand = world.random.next() < 0.5;
  server.logs.putBack(copy, isByHand ? copy.epoch : server.newId());
  known.mayBeginAnywhere ||= isByHand;
  run.sightings.restored(run.rooms());
  world.after(world.random.int(10, 4_000), () => {
    server.up = true;
  });
  return `the data is put back ${isByHand ? 'by hand' : 'by the command'}`;
}

/** Restores a copy while a queued amendment has the serverOffset of its text. */
export function putBackUnderChange(run: Run): string | undefined {
  if (!run.copy) return copyData(run);
  const change = edit(run) ?? remove(run);
  return change && `${change}, and ${putBack(run)}`;
}

function bye({ server }: Run): string {
  server.bye();
  return 'the server says bye';
}

/** Starts another version of the server, as a new process. */
function featureComesOrGoes(run: Run): string {
  const { server } = run;
  const said = restartServer(run);
  const isNewer = !server.features.includes(TEST_FEATURE);
  server.features = isNewer ? [...OWN_FEATURES, TEST_FEATURE] : OWN_FEATURES;
  return `${said}, ${isNewer ? 'with' : 'without'} the feature`;
}

/** A room fails for some time. */
function roomFails({ server, world, rooms }: Run): string {
  const room = world.random.pick(rooms());
  server.fail(room.id);
  world.after(world.random.pick([500, 5_000, 30_000]), () => server.heal(room.id));
  return `${room.name} fails`;
}

function rename({ server, world, ada, people }: Run): string {
  const user = world.random.pick([ada, ...people]);
  const name = `${server.names.get(user)!.split(' ')[0]} ${world.random.int(1, 99)}`;
  server.rename(user, name);
  return `somebody is ${name} now`;
}

/** A moderator changes a room's name or description, or pins or unpins a message. */
function changeRoom({ server, world, rooms, ada }: Run): string {
  const { random } = world;
  const room = random.pick(rooms().filter(({ id }) => !pairOf(id)));
  const there = room.log.map(shown).filter((entry) => isMessage(entry) && !entry.deleted);
  if (there.length > 0 && random.next() < 0.5) {
    const on = random.next() < 0.8;
    server.say(room, { author: ada, kind: 'pin', target: random.pick(there).serverOffset, ...{ on } });
    return `Ada ${on ? 'pins' : 'unpins'} a message in ${room.name}: ${room.log.length}`;
  }
  const field = random.pick(['name', 'description'] as const);
  server.say(room, { author: ada, kind: 'about', ...{ [field]: `${field} ${random.int(1, 99)}` } });
  return `Ada changes the ${field} of ${room.name}: ${room.log.length}`;
}

/** Appends entries of kinds that this version does not show, or does not know. */
function othersSay({ server, world, rooms, ada, ledger }: Run): string {
  const { random } = world;
  const room = random.pick(rooms());
  const targets = room.log.filter(({ entry }) => isMessage(entry));
  const target = targets.length > 0 ? { target: random.pick(targets).entry.serverOffset } : {};
  const said = random.pick([
    { kind: 'test-message', words: `${room.log.length}`, more: { of: ['it'] } },
    { kind: 'test-silent', value: room.log.length },
    { kind: 'novel', shape: [room.log.length] },
    ...('target' in target
      ? [
          { kind: 'test-reaction', emoji: '👍', ...target },
          { kind: 'test-erase', ...target },
          { kind: 'novel about it', odd: true, ...target },
        ]
      : []),
  ]);
  const erased =
    said.kind === 'test-erase' && targets.find(({ entry }) => entry.serverOffset === target.target);
  const written = erased ? ledger.find(bodyOf(erased.entry) ?? '') : undefined;
  if (written) written.of.isShared = true;
  server.say(room, { author: ada, ...said });
  return `Ada says ${said.kind} in ${room.name}: ${room.log.length}`;
}
