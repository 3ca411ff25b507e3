/** The actions of the users at the browser, one at a time. Results are recorded in the ledger when the app reports them. */

import { pairOf } from '../../../shared/directPair.ts';
import type { Item } from '../../../shared/protocol/index.ts';
import { WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import type { Message, Outcome, ReplyTarget } from '../../../web/state/model.ts';
import { TEST_FEATURE } from '../../support/testKinds.ts';
import type { Box, Tab } from './browser.ts';
import type { Body } from './ledger.ts';
import { contentOf } from './logs.ts';
import type { Run } from './run.ts';

export type Step = (run: Run) => string | undefined;

/** Each action with its weight. */
export type Steps = readonly (readonly [number, Step])[];

export const PERSON: Steps = [
  [11, send],
  [3, sendMuch],
  [4, sendAgain],
  [5, edit],
  [3, remove],
  [6, mend],
  [4, write],
  [3, lookAt],
  [5, scroll],
  [2, see],
  [3, jump],
  [4, queueOther],
  [1, joinOrLeave],
  [2, signOut],
  [4, signIn],
];

export function sendMuch(run: Run): string | undefined {
  return send(run, 4);
}

/** Writes more texts, each after the previous one is stored. */
export function send(run: Run, more = 0, tab = writable(run)): string | undefined {
  if (!tab || tab.boxes.has(tab.looking!)) return undefined;
  const { random } = run.world;
  const [user, room] = [tab.signedIn()!.user.id, tab.looking!];
  const text = run.ledger.say(user, random.next() < 0.05 ? 200 : 0);
  const message = run.ledger.message(user, room);
  if (text.length > 100) message.mayComeLate = true; // stored as not sent at once
  const body = run.ledger.ask('text', text, message);
  const isDraft = random.next() < 0.5;
  if (isDraft) tab.client.saveDraft(room, text);
  reactTo(run, tab, room, body.asked);
  takeDownOne(run, tab, room, body.asked);
  hand(run, tab, { user, body, reply: answered(run, tab, room, body.asked), isDraft, isBusy: true, more });
  return `${tab.name} sends “${text.slice(0, 20)}”`;
}

/**
 * In every seventh seed most texts answer a message of the window, sent or not. In the others none does: variants.test.ts knows
 * seeds by which broken clients are caught.
 */
function answered({ seed }: Run, tab: Tab, room: string, n: number): ReplyTarget | undefined {
  if (seed % 7 !== 0) return undefined;
  const { messages } = tab.client.conversation(room).get();
  const found = messages[n % messages.length]; // as good as random, without changing what else is
  if (found?.content.tag !== 'text') return undefined;
  const { author, clientOffset, serverOffset } = found;
  return { author, clientOffset, serverOffset };
}

/** In every fifth seed, beside most texts; in the others never, as `answered`. Often the same reaction again, or taken back. */
function reactTo({ seed }: Run, tab: Tab, room: string, n: number): void {
  if (seed % 5 !== 3) return;
  const { messages } = tab.client.conversation(room).get();
  const found = messages[(7 * n) % messages.length];
  if (found?.content.tag !== 'text') return;
  void tab.client.react(room, found, ['👍', '👍🏽', '❤️'][n % 3]!, n % 4 !== 0);
}

/** Seeds with moderators: everybody of the outbox may delete everybody’s messages, and Ada removes people. */
export function isModerated(seed: number): boolean {
  return seed % 11 === 6;
}

/** Beside some texts, of others’ messages: one's own are deleted otherwise. */
function takeDownOne({ seed, ledger }: Run, tab: Tab, room: string, n: number): void {
  if (!isModerated(seed) || n % 3 !== 0) return;
  const { messages } = tab.client.conversation(room).get();
  const found = messages[(5 * n) % messages.length];
  if (found?.content.tag !== 'text' || found.serverOffset === undefined || found.mine) return;
  const said = ledger.find(found.content.body);
  if (said) said.of.isShared = true;
  void tab.client.takeDown(room, found);
}

/** Like the composer: after a failure the text stays. */
function hand(run: Run, tab: Tab, box: Box): void {
  const { body, isDraft } = box;
  const { room, user } = body.of;
  tab.boxes.set(room, { ...box, isBusy: true });
  body.isTold = false;
  void tab.client.send(room, body.text, box.reply).then(async (outcome) => {
    if (tab.isDead() || tab.signedIn()?.user.id !== user) return;
    if (outcome.ok) {
      body.accepted = run.ledger.tick();
      tab.boxes.delete(room);
      if (isDraft) tab.client.saveDraft(room, '');
      if (box.more > 0 && !tab.isFrozen()) send(run, box.more - 1, tab);
      return;
    }
    body.isTold = true;
    run.world.note(`“${body.text}” was not stored: ${outcome.reason.code}`);
    tab.boxes.set(room, { ...box, isBusy: false });
    if (!isDraft) return;
    const draft = await tab.client.draft(room);
    if (draft !== body.text && tab.boxes.get(room)?.isBusy === false)
      run.broken('O4', `“${body.text}” was not stored, and is no draft either, but “${draft}”`);
  });
}

export function sendAgain(run: Run): string | undefined {
  const tab = anyTab(run, ({ boxes }) => [...boxes.values()].some(({ isBusy }) => !isBusy));
  const [room, box] = [...(tab?.boxes ?? [])].find(([, { isBusy }]) => !isBusy) ?? [];
  if (!tab || !box || tab.signedIn()?.user.id !== box.user) return undefined;
  if (run.world.random.next() < 0.6) {
    hand(run, tab, box);
    return `${tab.name} sends “${box.body.text}” again`;
  }
  tab.client.saveDraft(room!, '');
  tab.boxes.delete(room!);
  box.body.abandoned = true;
  return `“${box.body.text}” is written no more`;
}

export function edit(run: Run): string | undefined {
  const found = own(run, ({ can }) => can.edit);
  if (!found) return undefined;
  const { tab, message, body: before } = found;
  const body = run.ledger.ask('edit', run.ledger.say(before.of.user), before.of);
  const outcome = tab.client.edit(before.of.room, message.clientOffset, body.text);
  void outcome.then((it) => took(run, tab, body, it));
  return `${tab.name} makes “${before.text}” “${body.text}”`;
}

export function remove(run: Run): string | undefined {
  const found = own(run, ({ can }) => can.remove);
  if (!found) return undefined;
  const { tab, message, body } = found;
  body.of.givenUpAt = Number.POSITIVE_INFINITY;
  void tab.client.remove(body.of.room, message.clientOffset).then(() => {
    if (!tab.isDead()) body.of.givenUpAt = run.ledger.tick();
  });
  return `${tab.name} deletes “${body.text}”`;
}

/** A message that was not sent: retry it, change it, or discard it. */
export function mend(run: Run): string | undefined {
  const found = own(run, ({ status }) => status.tag === 'not-sent');
  if (!found) return undefined;
  const { tab, message, body: before } = found;
  const { of } = before;
  of.mayComeLate = true;
  switch (run.world.random.int(0, 2)) {
    case 0:
      void tab.client.retry(message.clientOffset);
      return `${tab.name} tries “${before.text}” again`;
    case 1: {
      const body = run.ledger.ask('edit', run.ledger.say(of.user), of);
      void tab.client.amend(message.clientOffset, body.text).then((it) => took(run, tab, body, it));
      return `${tab.name} writes “${body.text}” for “${before.text}”`;
    }
    default:
      if (message.pending === 'none') of.givenUpAt = Number.POSITIVE_INFINITY;
      else for (const each of of.bodies) each.dropped ||= each.kind === 'edit';
      void tab.client.discard(message.clientOffset).then(() => {
        if (!tab.isDead() && of.givenUpAt !== undefined) of.givenUpAt = run.ledger.tick();
      });
      return `${tab.name} gives “${before.text}” up`;
  }
}

function took(run: Run, tab: Tab, body: Body, outcome: Outcome): void {
  if (tab.isDead()) return;
  if (outcome.ok) body.accepted = run.ledger.tick();
  else body.abandoned = true;
}

function write(run: Run): string | undefined {
  const tab = writable(run);
  if (!tab) return undefined;
  if (tab.boxes.has(tab.looking!)) return undefined;
  const text = run.ledger.say(tab.signedIn()!.user.id);
  tab.client.saveDraft(tab.looking!, text);
  return `${tab.name} writes “${text}”`;
}

function lookAt(run: Run): string | undefined {
  const tab = anyTab(run, (each) => (each.signedIn()?.rooms.length ?? 0) > 0);
  if (!tab) return undefined;
  const room = run.world.random.pick(tab.signedIn()!.rooms);
  if (run.seed % 9 === 4) return writeTo(run, tab);
  if (run.seed % 11 === 9) return makeRoom(tab);
  tab.look(room.id);
  return `${tab.name} looks at ${room.name}`;
}

/** In every ninth seed, in place of looking at a room; in the others never, as `answered`. Either may begin it, offline too. */
function writeTo(run: Run, tab: Tab): string {
  const me = tab.signedIn()!.user.id;
  const id = run.people.find((one) => one !== me)!;
  void tab.client.ask('writeTo', { id, name: run.server.names.get(id)! }).then((outcome) => {
    if (outcome.ok && !tab.isDead() && tab.signedIn()?.user.id === me) tab.look(outcome.room!);
  });
  return `${tab.name} writes to the other one`;
}

/** In every eleventh seed, in place of looking at a room; in the others never, as `answered`. */
function makeRoom(tab: Tab): string {
  const me = tab.signedIn()!.user.id;
  void tab.client.ask('createRoom', `Room of ${me.slice(0, 4)}`, 'public').then((outcome) => {
    if (outcome.ok && !tab.isDead() && tab.signedIn()?.user.id === me) tab.look(outcome.room!);
  });
  return `${tab.name} makes a room`;
}

export function scroll(run: Run): string | undefined {
  const tab = writable(run);
  if (!tab) return undefined;
  const way = run.world.random.pick([
    'loadOlder',
    'loadOlder',
    'loadOlder',
    'loadNewer',
    'toNewest',
  ] as const);
  tab.client[way](tab.looking!, run.world.random.int(1, WINDOW_STEP_LINES));
  return `${tab.name} ${way}`;
}

/** Scrolls to any position of the log, stored or not. */
function jump(run: Run): string | undefined {
  const tab = writable(run);
  const room = run.rooms().find(({ id }) => id === tab?.looking);
  if (!tab || !room || room.log.length === 0) return undefined;
  const offset = run.world.random.int(1, room.log.length);
  void tab.client.jumpTo(room.id, offset);
  return `${tab.name} jumps to ${offset}`;
}

/** Queues an item of a kind that only a later version shows. */
function queueOther(run: Run): string | undefined {
  const tab = writable(run);
  if (!tab) return undefined;
  const { random } = run.world;
  const user = tab.signedIn()!.user.id;
  const room = tab.looking!;
  const { messages } = tab.client.conversation(room).get();
  const about = messages.filter(({ serverOffset }) => serverOffset !== undefined);
  const said = `${user.slice(0, 4)} other ${run.kept.size}`;
  const content = random.pick([
    { kind: 'test-message', words: said },
    { kind: 'test-silent', value: [said] },
    { kind: TEST_FEATURE, words: said },
    { kind: TEST_FEATURE, words: said },
  ]);
  const isAbout = about.length > 0 && random.next() < 0.3;
  const message = isAbout ? random.pick(about) : undefined;
  const target = message && { author: message.author.id, clientOffset: message.clientOffset };
  const item: Item = {
    room,
    clientOffset: run.server.newId(),
    ...(target ? { kind: 'test-reaction', emoji: said, target } : content),
  };
  const kept = { user, item, isTaken: false };
  if (!target) run.kept.set(contentOf(item), kept);
  void tab.queue(user, item).then(
    () => {
      kept.isTaken = !tab.isDead();
    },
    () => {}, // the storage fails
  );
  return `${tab.name} queues ${item.kind}`;
}

function see(run: Run): string | undefined {
  const tab = writable(run);
  const last = tab?.client
    .conversation(tab.looking!)
    .get()
    .messages.findLast((each) => each.serverOffset);
  if (!tab || !last) return undefined;
  const { serverOffset, author, key } = last;
  const clientOffset = key.slice(author.id.length + 1); // its own is that of an edit which was not sent, where there is one
  const user = tab.signedIn()!.user.id;
  run.sightings.add({
    user,
    room: tab.looking!,
    serverOffset: serverOffset!,
    author: author.id,
    clientOffset,
  });
  tab.client.seen(tab.looking!, serverOffset!);
  return `${tab.name} has seen ${last.serverOffset}`;
}

function joinOrLeave(run: Run): string | undefined {
  const tab = writable(run);
  if (!tab) return undefined;
  const room = run.world.random.pick(run.rooms());
  if (pairOf(room.id)) return undefined;
  if (room.members.has(tab.signedIn()!.user.id)) void tab.client.ask('leaveRoom', room.id);
  else void tab.client.ask('joinRoom', room.id);
  return `${tab.name} comes into ${room.name}, or leaves it`;
}

function signOut(run: Run): string | undefined {
  const tab = anyTab(run, (each) => each.signedIn() !== undefined);
  if (!tab || run.world.random.next() < 0.5) return undefined;
  void tab.client.signOut();
  return `${tab.name} signs out`;
}

/** Signs in as any user, or as the same user if the session has expired. */
function signIn(run: Run): string | undefined {
  const tab = anyTab(
    run,
    (each) => each.app().tag === 'signed-out' || each.signedIn()?.connection.tag === 'signed-out',
  );
  if (!tab) return undefined;
  const user = tab.signedIn()?.user.id ?? run.world.random.pick(run.people);
  const name = run.server.names.get(user)!;
  void tab.client.signIn(name, 'a password');
  return `${tab.name} signs in as ${name}`;
}

function anyTab(run: Run, isOne: (tab: Tab) => boolean): Tab | undefined {
  const tabs = run.browser.tabs().filter((tab) => !tab.isFrozen() && isOne(tab));
  return tabs.length > 0 ? run.world.random.pick(tabs) : undefined;
}

/** A user is signed in and looks at one of their rooms. */
function writable(run: Run): Tab | undefined {
  return anyTab(run, (tab) => {
    const app = tab.signedIn();
    return app?.rooms.some(({ id, member }) => id === tab.looking && member) === true;
  });
}

/** One of the user's own messages on the screen, with a text that was written here. */
function own(run: Run, isOne: (message: Message) => boolean) {
  const tab = writable(run);
  const { messages } = tab?.client.conversation(tab.looking!).get() ?? { messages: [] };
  const found = messages.flatMap((message) => {
    const body = message.content.tag === 'text' ? run.ledger.find(message.content.body) : undefined;
    return message.mine && body && isOne(message) ? [{ message, body }] : [];
  });
  return tab && found.length > 0 ? { tab, ...run.world.random.pick(found) } : undefined;
}
