/** The store of one process on data in memory. Every call takes a few turns of the event loop, so that calls interleave. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { countReactions, type LastReaction, reactorsIn } from '../../../server/store/countReactions.ts';
import { foundAmong } from '../../../server/store/foundRooms.ts';
import {
  type AppendResult,
  type ListPosition,
  type LogStore,
  type NewEntry,
  type RoomStore,
  type Store,
  Unavailable,
  type UserStore,
} from '../../../server/store/port.ts';
import { mentionedBy } from '../../../server/store/storedEntries.ts';
import { blockedSinceOf, settingsOf, withChoice } from '../../../server/store/storedSettings.ts';
import { pairOf } from '../../../shared/directPair.ts';
import type { Entry } from '../../../shared/entry.ts';
import { isMessage, ruleOf, subjectOf } from '../../../shared/kinds.ts';
import type { Random } from '../../support/random.ts';
import { isRemovalKind, type MemoryData, type Row } from './data.ts';
import { invitationsIn } from './invitations.ts';
import { keepersIn } from './keepers.ts';
import { presenceIn } from './presence.ts';
import { reportsIn } from './reports.ts';
import { openTails } from './tail.ts';
import { usersIn } from './users.ts';

export function openMemory(data: MemoryData, random: Random): Store {
  const tails = openTails(data);
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;
  for (const row of data.rows) data.repair(row);

  async function turns(): Promise<void> {
    for (let left = random.int(0, 2); left > 0; left--) await nextTurn();
  }

  /** Delays a call as a network does: some time before the work, some time after it. */
  async function call<T>(work: () => T | Promise<T>): Promise<T> {
    if (isClosed) throw new Unavailable('closed');
    const answer = turns().then(work);
    const done = answer.then(turns, () => {});
    underWay.add(done);
    void done.then(() => underWay.delete(done));
    await done;
    return answer;
  }

  const log: LogStore = {
    writesByRoom: true,
    async append(items, at) {
      if (isClosed) return { results: [], stopped: new Unavailable('closed') };
      return call(async () => {
        const results: AppendResult[] = [];
        for (const batch of byRoom(items)) {
          const inserted = batch.map((item) => data.insert(item, at)); // one commit: no tail sees a part of it
          for (const one of inserted) {
            await turns();
            if ('tag' in one) results.push(one);
            else {
              data.finish(one);
              results.push({ tag: 'appended', serverOffset: one.serverOffset, at: one.at });
            }
          }
        }
        return { results };
      });
    },
    find: (keys) =>
      call(() =>
        keys.map((key) => {
          const row = data.find(key);
          return row && { serverOffset: row.serverOffset, at: row.at, digest: row.digest };
        }),
      ),
    range: (room, from, to, maxBytes) =>
      call(() => {
        const rows = data.rowsOf(room).filter((row) => row.serverOffset >= from && row.serverOffset <= to);
        const entries = cut(
          rows.map((row) => data.entryOf(row)),
          maxBytes,
        );
        return { entries, amendments: amendmentsOf(room, entries), head: data.head(room) };
      }),
    entriesAt: (room, offsets) =>
      call(() => {
        const rows = data.rowsOf(room).filter(({ serverOffset }) => offsets.includes(serverOffset));
        const found = rows.map((row) => ({
          entry: data.entryOf(row),
          all: amendmentsOf(room, [data.entryOf(row)]),
        }));
        return {
          entries: found.map(({ entry }) => entry),
          amendments: found
            .flatMap(({ all }) => all)
            .filter(({ serverOffset }) => !offsets.includes(serverOffset))
            .sort((a, b) => a.serverOffset - b.serverOffset),
          head: data.head(room),
        };
      }),
    reactionsTo: (room, targets, by) => call(() => countReactions(lastReactions(room, targets), by)),
    reactors: (room, target, most) => call(() => reactorsIn(lastReactions(room, [target]), most)),
    messageAt: (room, upTo, count) =>
      call(() => messagesOf(room, (row) => row.serverOffset <= upTo).slice(-count)[0]?.serverOffset),
    messageFrom: (room, from, to) =>
      call(
        () => messagesOf(room, (row) => row.serverOffset >= from && row.serverOffset <= to)[0]?.serverOffset,
      ),
    unread: (room, user, after, most) =>
      call(() =>
        Math.min(most, messagesOf(room, (row) => row.serverOffset > after && row.author !== user).length),
      ),
    mentions: (room, user, after, most) =>
      call(() =>
        messagesOf(room, (row) => row.serverOffset > after && mentionedBy(row).includes(user))
          .map(({ serverOffset }) => serverOffset)
          .slice(0, most),
      ),
    heads: (rooms) => call(() => new Map(rooms.map((room) => [room, data.head(room)]))),
    timesAt: (points) =>
      call(() =>
        points.map(
          ({ room, serverOffset }) => data.rowsOf(room).find((row) => row.serverOffset === serverOffset)?.at,
        ),
      ),
    tail: (from, listener) => call(() => tails.open(from, listener)),
  };

  function lastReactions(room: string, targets: readonly number[]): LastReaction[] {
    const lasts = new Map<string, LastReaction>();
    for (const row of data.rowsOf(room)) {
      const { author, serverOffset, content: { emoji, on } = {} } = row;
      const { target = 0 } = data.entryOf(row);
      if (ruleOf(row.kind)?.effect !== 'aggregate' || !targets.includes(target)) continue;
      lasts.set(`${target} ${author} ${emoji}`, { target, author, emoji, isOn: on !== false, serverOffset });
    }
    return [...lasts.values()];
  }

  function messagesOf(room: string, where: (row: Row) => boolean): Row[] {
    return data
      .rowsOf(room)
      .filter((row) => isMessage({ kind: row.kind }) && where(row) && !data.entryOf(row).deleted);
  }

  function amendmentsOf(room: string, entries: readonly Entry[]): Entry[] {
    const last = entries.at(-1)?.serverOffset ?? 0;
    const rows = data.rowsOf(room);
    const strongest = entries.map((text) => {
      const ofIt = rows.filter((row) => isMessage(text) && row.targetOffset === text.serverOffset);
      const replacing = ofIt.filter((row) => ruleOf(row.kind)?.effect === 'replace');
      return ofIt.find((row) => isRemovalKind(row.kind)) ?? replacing.at(-1);
    });
    return rows
      .filter((row: Row) => strongest.includes(row) && row.serverOffset > last)
      .map((row) => data.entryOf(row));
  }

  function chosenOf(room: string, user: string) {
    const stored = data.settings.get(`${room} ${user}`);
    return stored && settingsOf(stored);
  }

  const users: UserStore = usersIn(data, call);
  const listed = (after: ListPosition | undefined) =>
    [...data.rooms.values()]
      .filter(({ kind }) => kind === 'public')
      .map(({ id, createdAt }) => ({ ...data.room(id)!, activeAt: data.lastAt(id) || createdAt }))
      .filter((room) => after === undefined || isBefore(room, after))
      .toSorted((x, y) => (isBefore(x, y) ? 1 : -1));

  const rooms: RoomStore = {
    create: (room) => call(() => data.createRoom(room)),
    begin: (room) => call(() => data.begin(room)),
    byId: (id) => call(() => data.room(id)),
    about: (id) => call(() => data.room(id)?.about),
    listPublic: (after, limit) => call(() => listed(after).slice(0, limit)),
    searchPublic: (key, after, limit, look) =>
      call(() => foundAmong(listed(after).slice(0, look), key, limit, look)),
    ofUser: (user) =>
      call(() =>
        [...data.rooms.keys()]
          .filter((id) => data.isMember(id, user))
          .map((id) => ({
            room: data.room(id)!,
            readUpTo: data.readUpTo(id, user),
            settings: chosenOf(id, user),
          })),
      ),
    choose: (room, user, choice, at) =>
      call(() => {
        const next = withChoice(data.settings.get(`${room} ${user}`), choice, at);
        data.settings.set(`${room} ${user}`, next);
        return settingsOf(next);
      }),
    chosen: (room, user) => call(() => chosenOf(room, user)),
    blockedSince: (room, user) =>
      call(() => {
        const stored = data.settings.get(`${room} ${user}`);
        return stored && blockedSinceOf(stored);
      }),
    ofUsers: (users) =>
      call(() => {
        const roomsOf = (user: string) => [...data.rooms.keys()].filter((id) => data.isMember(id, user));
        return new Map(
          users.map((user) => [user, roomsOf(user)] as const).filter(([, ids]) => ids.length > 0),
        );
      }),
    isMember: (room, user) => call(() => data.isMember(room, user)),
    countOf: (user) =>
      call(() => [...data.rooms.keys()].filter((id) => !pairOf(id) && data.isMember(id, user)).length),
    countBegun: (user, since) =>
      call(
        () =>
          [...data.rooms.values()].filter(
            ({ kind, createdBy, createdAt }) => kind === 'direct' && createdBy === user && createdAt >= since,
          ).length,
      ),
    countCreated: (user, since) =>
      call(
        () =>
          [...data.rooms.values()].filter(
            (room) => room.kind !== 'direct' && room.createdBy === user && room.createdAt >= since,
          ).length,
      ),
    leaves: (room, after) =>
      call(() =>
        data
          .rowsOf(room)
          .filter((row) => row.serverOffset > after && ruleOf(row.kind)?.membership === 'left')
          .map((row) => ({ user: subjectOf(row), at: row.at })),
      ),
    mark: (marks) =>
      call(() => {
        for (const { room, user, upTo } of marks)
          data.marks.set(`${room} ${user}`, Math.max(data.marks.get(`${room} ${user}`) ?? 0, upTo));
      }),
    reach: (user, ranges) =>
      call(() => {
        for (const { room, from, to } of ranges) {
          const before = data.reached.get(`${room} ${user}`);
          const isTouching = before && from <= before.to + 1 && before.from <= to + 1;
          if (isTouching)
            data.reached.set(`${room} ${user}`, {
              from: Math.min(from, before.from),
              to: Math.max(to, before.to),
            });
          else if (!before || to > before.to) data.reached.set(`${room} ${user}`, { from, to });
        }
      }),
    reached: (room, users) =>
      call(
        () =>
          new Map(
            users.flatMap((user) => {
              const range = data.reached.get(`${room} ${user}`);
              return range ? [[user, { ...range }] as const] : [];
            }),
          ),
      ),
    readUpTo: (user, rooms) => call(() => rooms.map((room) => data.readUpTo(room, user))),
    readers: (room, limit) => call(() => data.readers(room).slice(0, limit)),
    roles: (room, users) => call(() => data.roles(room, users)),
    exits: (user, rooms) => call(() => data.exits(user, rooms)),
    banned: (room, limit) => call(() => data.banned(room).slice(0, limit)),
    members: (room, after, limit) =>
      call(() =>
        data
          .readers(room)
          .map(({ user }) => user)
          .filter((user) => user > after)
          .sort()
          .slice(0, limit),
      ),
  };

  return {
    epoch: data.epoch,
    takesNewKinds: () => true,
    log,
    users,
    rooms,
    keepers: keepersIn(data, call),
    invitations: invitationsIn(data, call),
    presence: presenceIn(data, call),
    reports: reportsIn(data, call),
    waiting: () => ({}),
    now: Date.now,
    ping: () => call(() => {}),
    async close() {
      isClosed = true;
      await Promise.all(underWay);
      tails.close();
    },
  };
}

function isBefore(one: ListPosition, other: ListPosition): boolean {
  return one.activeAt < other.activeAt || (one.activeAt === other.activeAt && one.id < other.id);
}

/** Groups consecutive items of the same room. */
function byRoom(items: readonly NewEntry[]): NewEntry[][] {
  const batches: NewEntry[][] = [];
  for (const item of items) {
    const last = batches.at(-1);
    if (last?.[0]?.room === item.room) last.push(item);
    else batches.push([item]);
  }
  return batches;
}

function cut(entries: readonly Entry[], maxBytes: number): Entry[] {
  const fits = (count: number) => Buffer.byteLength(JSON.stringify(entries.slice(0, count))) <= maxBytes;
  let count = Math.min(1, entries.length);
  while (count < entries.length && fits(count + 1)) count++;
  return entries.slice(0, count);
}
