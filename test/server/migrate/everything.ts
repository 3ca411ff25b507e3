/** A store with something in every table, changed again and again; and a picture of all that can be read through the port. */

import type { NewEntry, Store } from '../../../server/store/port.ts';
import { directRoomOf } from '../../../shared/directPair.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { changeOf, pinOf } from '../../contract/aboutRooms.ts';
import { creation } from '../../contract/creation.ts';
import { reply } from '../../contract/replies.ts';
import { edit, item, join, leave, newId, remove, text } from '../../contract/support.ts';

interface Person {
  id: string;
  name: string;
  devices: string[];
  tokens: string[];
  claims: string[];
}

export interface World {
  /** Adds people, rooms and all else, and changes what is there. What is written can be read at once. */
  change(): Promise<void>;
  /** The same on another store, which has all that was written so far. */
  continueOn(other: Store): Promise<void>;
  /** All that is known of it, as text. */
  picture(store: Store): Promise<string[]>;
  /** Keys of entries, each with its content. */
  readonly items: NewEntry[];
  readonly rooms: string[];
}

const NOW = 1_700_000_000_000;
const LATER = NOW + 1_000_000_000;

export function createWorld(first: Store): World {
  let store = first;
  const people: Person[] = [];
  const rooms = [LOBBY];
  const items: NewEntry[] = [];
  const hashes = { passes: [] as string[], requests: [] as string[], invitations: [] as string[] };
  const reports: string[] = [];
  const roleSeqs = new Map<string, number>();
  let round = 0;

  async function write(...some: NewEntry[]): Promise<void> {
    const { results, stopped } = await store.log.append(some, NOW + round);
    if (stopped) throw stopped;
    const failed = results.find(({ tag }) => tag !== 'appended');
    if (failed) throw new Error(JSON.stringify(failed));
    items.push(...some);
  }

  function nextRoleSeq(room: string): number {
    const next = (roleSeqs.get(room) ?? 0) + 1;
    roleSeqs.set(room, next);
    return next;
  }

  const about = (room: string, by: string, kind: string, subject: string, content = {}): NewEntry => ({
    ...item({ room, author: by, clientOffset: newId() }, { kind }),
    subject,
    ...(Object.keys(content).length > 0 && { content }),
    roleSeq: nextRoleSeq(room),
  });
  const reaction = (to: NewEntry, author: string, emoji: string, on = true): NewEntry => ({
    ...item({ room: to.room, author, clientOffset: newId() }, { kind: 'reaction', target: to.clientOffset }),
    targetAuthor: to.author,
    content: { emoji, on },
  });

  async function signUp(): Promise<Person> {
    const [id, device, token, claim] = [newId(), newId(), newId(), newId()];
    const name = `Person ${people.length}`;
    const made = await store.users.create(
      {
        id,
        name,
        nameKey: name.toLowerCase(),
        passwordHash: `hash of ${name}`,
        createdAt: NOW + people.length,
      },
      { id: device, user: id, tokenHash: token, claimHash: claim, createdAt: NOW },
    );
    if (made !== 'created') throw new Error(made);
    const person = { id, name, devices: [device], tokens: [token], claims: [claim] };
    people.push(person);
    return person;
  }

  async function addDevice(person: Person, claimHash: string, since: number): Promise<string> {
    const [id, tokenHash] = [newId(), newId()];
    const createdAt = NOW + 100 + person.devices.length; // its list is sorted by it
    const device = { id, user: person.id, tokenHash, claimHash, createdAt };
    const { passwordHash } = (await store.users.byId(person.id))!;
    const added = await store.users.addDevice(device, since, passwordHash);
    if (added !== 'added') throw new Error(added);
    person.devices.push(id);
    person.tokens.push(tokenHash);
    person.claims.push(claimHash);
    return id;
  }

  async function change(): Promise<void> {
    round++;
    const [me, you, third] = [await signUp(), await signUp(), await signUp()];

    const one = await addDevice(me, newId(), 0);
    const same = await addDevice(you, you.claims[0]!, NOW + 99); // the claim of an older device
    await addDevice(you, newId(), 0);
    await store.users.devicesSeen([one], NOW + 500);
    await store.users.removeDevice(me.id, me.devices[0]!, NOW + 600);
    const token = newId();
    await store.users.replaceToken(you.devices[0]!, token);
    you.tokens.push(token);
    if (round % 2 === 0) await store.users.removeDevice(you.id, same, NOW + 700);
    await store.users.setPassword(third.id, 'another hash', third.devices[0]!, NOW + 700);
    await store.users.setRecovery(third.id, 'hash of a code');
    const limit = { at: NOW + round, most: 5, withinMs: 1_000 };
    // names are taken over from each other
    await store.users.rename(me.id, `New ${round}`, `new ${round}`, limit);
    await store.users.rename(you.id, me.name, me.name.toLowerCase());
    await store.users.rename(me.id, you.name, you.name.toLowerCase());

    const room = newId();
    await store.rooms.create({
      id: room,
      kind: round % 2 ? 'private' : 'public',
      name: `Room ${round}`,
      createdBy: me.id,
      createdAt: NOW + round,
    });
    const own = newId();
    const direct = directRoomOf(me.id, you.id);
    await store.rooms.begin({ id: direct, createdBy: me.id, createdAt: NOW });
    await write(creation({ room: own, author: you.id }));
    rooms.push(room, own, direct);

    const hello = text(room, me.id, `hello ${round}`);
    const gone = text(room, you.id, 'to be deleted');
    const pinned = text(room, me.id, 'to be pinned');
    await write(join(room, me.id), join(room, you.id), join(room, third.id), join(LOBBY, me.id));
    await write(hello, gone, pinned, edit(hello, 'hello, edited'), edit(gone, 'edited, then deleted'));
    await write({
      ...text(room, you.id, 'a mention'),
      content: { mentions: [{ user: me.id, name: me.name }] },
    });
    await write({
      ...item({ room, author: me.id, clientOffset: newId() }, { kind: 'poll' }),
      content: { a: [1, null, { b: 'é' }] },
    });
    await write(reply(text(room, third.id, 'an answer'), hello), reaction(hello, you.id, '👍'));
    await write(reaction(hello, third.id, '👍'), reaction(hello, third.id, '👍', false));
    await write(
      about(room, me.id, 'role', you.id, { role: 'moderator', authorRole: 'owner' }),
      changeOf(room, me.id, { name: `Renamed ${round}`, description: 'what for', announcements: true }),
      pinOf(pinned, me.id),
      text(direct, me.id, 'only for you'),
    );
    const later = text(room, me.id, 'to be deleted in the next round');
    await write(remove(gone), about(room, me.id, 'ban', third.id), later);

    await store.rooms.mark([
      { room, user: me.id, upTo: 3 },
      { room: LOBBY, user: people[0]!.id, upTo: round },
    ]);
    await store.rooms.reach(you.id, [{ room, from: 1, to: 4 + round }]);
    await store.rooms.choose(room, me.id, { muted: true }, NOW + round);
    await store.rooms.choose(LOBBY, people[0]!.id, { muted: round % 2 === 0 }, NOW + round);

    for (let i = 0; i < 2; i++) {
      const hash = newId();
      const expiresAt = LATER + i;
      await store.users.addPass(
        { hash, kind: 'link', user: me.id, device: one, createdAt: NOW + i, expiresAt },
        3,
      );
      hashes.passes.push(hash);
    }
    await store.users.takePass(hashes.passes.at(-1)!, me.claims[0]!, NOW);
    await store.keepers.add(me.id, NOW + round);
    await store.keepers.add(you.id, NOW + round);
    await store.keepers.remove(you.id);
    await store.keepers.suspend(third.id, NOW);
    await store.keepers.suspend(you.id, NOW);
    await store.keepers.lift(you.id);
    for (let i = 0; i < 2; i++) {
      const hash = newId();
      await store.keepers.addRequest({
        hash,
        user: you.id,
        number: `123${i}`,
        createdAt: NOW,
        expiresAt: LATER,
      });
      hashes.requests.push(hash);
    }
    await store.keepers.decide(hashes.requests.at(-1)!, 'approved', NOW);

    for (let i = 0; i < 2; i++) {
      const hash = newId();
      await store.invitations.add(
        {
          hash,
          codeHash: newId(),
          room,
          createdBy: me.id,
          createdAt: NOW + i,
          expiresAt: LATER,
          maxUses: 3,
          makesAccounts: i === 0,
        },
        0,
      );
      hashes.invitations.push(hash);
    }
    for (const user of [you.id, third.id]) await store.invitations.use(hashes.invitations.at(-1)!, user, NOW);
    await store.invitations.giveBack(hashes.invitations.at(-1)!, third.id);
    await store.invitations.revoke(hashes.invitations.at(-2)!, NOW + 5);

    await store.presence.seen([{ user: me.id, at: NOW + round }]);
    await store.presence.hide(you.id, true);
    await store.presence.hideReads(third.id, true);

    const most = { ofUser: 100, since: 0, open: 100 };
    const report = { createdBy: me.id, createdAt: NOW + round, about: you.id, expiresAt: LATER };
    const message = { room, serverOffset: 4, head: 9, shown: [4, 7] };
    for (const made of [
      { ...report, id: newId(), message, recipients: 'moderators' as const, reason: 'Insults.' },
      { ...report, id: newId(), recipients: 'keepers' as const },
      { ...report, id: newId(), message: { ...message, serverOffset: 5 }, recipients: 'moderators' as const },
    ]) {
      await store.reports.add(made, most);
      reports.push(made.id);
    }
    await store.reports.toKeepers(reports.at(-1)!);
    await store.reports.close(reports.at(-3)!, LATER);
    // the same again, which is possible once the first is closed
    const again = { ...report, id: newId(), message, recipients: 'moderators' as const };
    if ((await store.reports.add(again, most)) !== 'added') throw new Error('the report is not new');
    reports.push(again.id);

    if (round === 1) return;
    // what an earlier round has made
    const old = items.find(({ kind, body }) => kind === 'text' && body === 'to be pinned');
    if (old && round === 2) await write(remove(old), leave(old.room, people[1]!.id));
    const first = people[0]!;
    await write(remove(items.findLast(({ body, room: its }) => body === later.body && its !== room)!));
    // a newer device takes the claim of an older one, and gives it back when it is gone
    const second = people[1]!;
    if (round % 2 === 0) await addDevice(second, second.claims[0]!, LATER);
    else await store.users.removeDevice(second.id, second.devices.at(-1)!, NOW + 800);
    await store.invitations.use(hashes.invitations[1]!, newId(), NOW);
    await store.reports.close(reports[1]!, LATER);
    await write(
      about(rooms[1]!, first.id, round % 2 ? 'ban' : 'unban', people[2]!.id),
      edit(items[6]!, `again ${round}`),
    );
  }

  async function picture(of: Store): Promise<string[]> {
    const lines: string[] = [];
    const say = (what: string, value: unknown) => lines.push(`${what}: ${JSON.stringify(sorted(value))}`);
    const ids = people.map(({ id }) => id);
    say('epoch', of.epoch);
    say('revision', await of.users.latestRev());
    say('changed', await of.users.changedSince(0, 1_000));
    say('names', await of.users.names(ids));
    say('found', await of.users.search('person', 100));
    for (const { id, name, devices, tokens, claims } of people) {
      say(`user ${id}`, await of.users.byId(id));
      say(`user ${name}`, (await of.users.byNameKey(name.toLowerCase()))?.id);
      say(`devices of ${id}`, [await of.users.devicesOf(id), await of.users.countDevices(id)]);
      say(`alive ${id}`, await of.users.devicesAlive(devices));
      for (const token of tokens)
        say(`token ${token}`, [await of.users.byToken(token), await of.users.wasSignedOut(token)]);
      for (const claim of claims) say(`claim ${claim}`, await of.users.byClaim(claim, 0));
      say(`rooms of ${id}`, await of.rooms.ofUser(id));
      say(`counts of ${id}`, [
        await of.rooms.countOf(id),
        await of.rooms.countCreated(id, 0),
        await of.rooms.countBegun(id, 0),
      ]);
      say(`exits of ${id}`, await of.rooms.exits(id, rooms));
      say(`read by ${id}`, await of.rooms.readUpTo(id, rooms));
    }
    say('rooms of all', await of.rooms.ofUsers(ids));
    say('public', await of.rooms.listPublic(undefined, 100));
    for (const room of rooms) {
      say(`room ${room}`, await of.rooms.byId(room));
      say(`log of ${room}`, await of.log.range(room, 1, 1_000, 10_000_000));
      say(`reactions in ${room}`, await of.log.reactionsTo(room, upTo(30), ids[2]));
      say(`roles in ${room}`, await of.rooms.roles(room, ids));
      say(`banned from ${room}`, (await of.rooms.banned(room, 100)).toSorted());
      say(`members of ${room}`, await of.rooms.members(room, '', 100));
      say(`leaves of ${room}`, await of.rooms.leaves(room, 0));
      say(`readers of ${room}`, (await of.rooms.readers(room, 100)).toSorted(byUser));
      say(`reached in ${room}`, await of.rooms.reached(room, ids));
      for (const user of ids) {
        say(`settings of ${user} in ${room}`, await of.rooms.chosen(room, user));
        say(`mentions of ${user} in ${room}`, await of.log.mentions(room, user, 0, 100));
      }
      say(`unread in ${room}`, await of.log.unread(room, ids[0]!, 0, 100));
      say(`reports of ${room}`, await of.reports.open(room, NOW));
    }
    say('keys', await of.log.find(items));
    say('heads', await of.log.heads(rooms));
    say('keepers', await of.keepers.all());
    say('suspended', (await of.keepers.suspended()).toSorted());
    say('first', await of.keepers.firstUser());
    say('requests', await of.keepers.requests(NOW));
    for (const hash of hashes.requests) say(`request ${hash}`, await of.keepers.requestState(hash, NOW));
    for (const hash of hashes.invitations) say(`invitation ${hash}`, await of.invitations.find(hash));
    say('invitations', await of.invitations.all(NOW));
    say('presence', await of.presence.of(ids));
    say('reports to keepers', await of.reports.open(undefined, NOW));
    for (const id of reports) say(`report ${id}`, await of.reports.find(id, NOW));
    return lines;
  }

  async function continueOn(other: Store): Promise<void> {
    store = other;
    await change();
  }

  return { change, continueOn, picture, items, rooms };
}

/** Maps and sets as lists, and the fields of objects in one order. */
function sorted(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(sorted).toSorted();
  if (value instanceof Set) return [...value].toSorted();
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, its]) => its !== undefined);
  return Object.fromEntries(fields.toSorted().map(([name, its]) => [name, sorted(its)]));
}

function byUser(one: { user: string }, other: { user: string }): number {
  return one.user < other.user ? -1 : 1;
}

function upTo(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1);
}
