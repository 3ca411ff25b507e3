/**
 * Reports of messages and people. One of a room's message reaches its moderators; one of a moderator's message, of a message in a
 * direct conversation, or of a person reaches the keepers. Whoever is reported never sees it. A report holds no content but names
 * the entries that are shown, so that nothing written later is; they are read from the log when somebody looks at it.
 * docs/SECURITY.md, "Reports".
 */
import { fold, isLine } from '../../shared/fold.ts';
import { isRemoval, isReplacement } from '../../shared/kinds.ts';
import {
  REPORT_KEPT_MS,
  REPORT_LIFETIME_MS,
  REPORT_MESSAGES_AROUND,
  REPORTS_OPEN_MAX,
  REPORTS_PER_DAY,
} from '../../shared/limits.ts';
import { idFrom, LOBBY } from '../../shared/mint.ts';
import type {
  RefusalReason,
  Report,
  ReportAnswer,
  ReportedMessage,
  ReportRequest,
  User,
  Users,
} from '../../shared/protocol/index.ts';
import { checkReportReason } from '../../shared/text.ts';
import type { Identity } from '../auth/auth.ts';
import type { Keepers } from '../auth/keepers.ts';
import type { Audit } from '../base/audit.ts';
import { RefusedError } from '../base/refusal.ts';
import type { KeyedQueue } from '../limits/keyedQueue.ts';
import type {
  KeeperStore,
  LogStore,
  NewReport,
  ReportStore,
  RoomRecord,
  RoomStore,
  UserStore,
} from '../store/port.ts';
import { type Access, noSuchRoom } from './access.ts';
import type { Moderation } from './moderation.ts';

export interface Reports {
  /** A repeat of a report that is open changes nothing. Throws where the message cannot be read, or there are too many reports. */
  make(identity: Identity, request: ReportRequest): Promise<void>;
  /**
   * Those that are open, the oldest first: of a room, for its moderators, and none for its other members; without a room those for
   * keepers, with those of the lobby for one who has left it. Never those about the one who asks.
   */
  list(identity: Identity, room: string | undefined): Promise<Report[]>;
  /** Throws `not-found` where none is open that this user may see. */
  read(identity: Identity, id: string): Promise<ReportAnswer>;
  /** The same. */
  close(identity: Identity, id: string): Promise<void>;
  /**
   * Passes on to the keepers what only the reported person could see as the moderator of its room. Called after a user has lost a
   * role in it: `without` does not count, as what is known of the room may be older than that.
   */
  review(room: string, without?: string): Promise<void>;
}

interface Deps {
  store: ReportStore;
  rooms: Pick<RoomStore, 'byId'>;
  users: Pick<UserStore, 'byId'>;
  log: Pick<LogStore, 'entriesAt' | 'messageAt' | 'range'>;
  access: Pick<Access, 'refusalOf'>;
  moderation: Pick<Moderation, 'rankOf' | 'moderators'>;
  keepers: Pick<Keepers, 'mustBeKeeper' | 'roleOf'>;
  keeperIds: KeeperStore['all'];
  names: { ofUsers(ids: readonly string[]): Promise<Users> };
  inTurn: KeyedQueue;
  onRefusal: (limit: string, user: string) => void;
  /** The wall clock in milliseconds. */
  now: () => number;
  /** Cryptographically secure random bytes. */
  random: (bytes: number) => Uint8Array;
  audit: Pick<Audit, 'record'>;
}

type Subject = Pick<NewReport, 'about' | 'message' | 'recipients'>;

export function createReports(deps: Deps): Reports {
  const { store, rooms, users, log, access, moderation, keepers, keeperIds, names, now, audit } = deps;

  async function existing(id: string): Promise<RoomRecord> {
    const room = await rooms.byId(id);
    if (!room) throw noSuchRoom();
    return room;
  }

  /** As it is now. Throws `not-found` where there is none, or it was deleted. */
  async function messageAmong(room: string, serverOffset: number, offsets: readonly number[]) {
    const found = await log.entriesAt(room, offsets);
    const line = fold(found.entries, found.amendments).find((one) => one.serverOffset === serverOffset);
    if (!line) throw new RefusedError('not-found', 'There is no such message.');
    if (line.tag === 'deleted')
      throw refusedAs('not-found', 'report-deleted', 'This message was deleted meanwhile.');
    return { ...found, author: line.author };
  }

  async function aboutMessage(user: string, id: string, serverOffset: number): Promise<Subject> {
    const refused = await access.refusalOf(id, user);
    if (refused) throw refused;
    const room = await existing(id);
    const alone = await messageAmong(id, serverOffset, [serverOffset]);
    const offsets = await offsetsAround(id, serverOffset, alone.head);
    const { author, amendments, head } = await messageAmong(id, serverOffset, offsets);
    const isAboveMembers = room.kind !== 'direct' && (await moderation.rankOf(author, room)) !== 'member';
    const recipients = room.kind === 'direct' || isAboveMembers ? 'keepers' : 'moderators';
    const shown = [...offsets, ...amendments.filter(isReplacement).map((one) => one.serverOffset)];
    return { about: author, message: { room: id, serverOffset, head, shown }, recipients };
  }

  /** Of the message, and of those around it that are not deleted; ascending. */
  async function offsetsAround(room: string, serverOffset: number, head: number): Promise<number[]> {
    const offsets = [serverOffset];
    for (let n = 0, at = serverOffset; n < REPORT_MESSAGES_AROUND && at > 1; n++) {
      const before = await log.messageAt(room, at - 1, 1);
      if (before === undefined) break;
      offsets.unshift(before);
      at = before;
    }
    const to = Math.min(head, serverOffset + LOOKED_THROUGH_AFTER);
    const after = to > serverOffset ? (await log.range(room, serverOffset + 1, to, AFTER_BYTES)).entries : [];
    const messages = after.filter((entry) => isLine(entry) && !entry.deleted);
    return [...offsets, ...messages.slice(0, REPORT_MESSAGES_AROUND).map((entry) => entry.serverOffset)];
  }

  async function aboutPerson(id: string): Promise<Subject> {
    if (!(await users.byId(id))) throw new RefusedError('not-found', 'There is no such person.');
    return { about: id, recipients: 'keepers' };
  }

  /** In the lobby keepers do what owners do elsewhere. */
  async function checkRecipients({ about, message, recipients }: Subject): Promise<void> {
    if (recipients === 'moderators' && message?.room !== LOBBY) return;
    if ((await keeperIds()).some((keeper) => keeper !== about)) return;
    throw refusedAs('forbidden', 'report-no-keeper', 'This server has no keeper who could look at it.');
  }

  async function maySee({ message, about, recipients }: NewReport, user: string): Promise<boolean> {
    if (about === user) return false;
    if (recipients === 'keepers') return (await keepers.roleOf(user)) === 'keeper';
    const { room } = message!;
    if (await refusalOf(room, user)) return false;
    return (await moderation.rankOf(user, await existing(room))) !== 'member';
  }

  /** Keepers need not be members of the lobby. */
  async function refusalOf(room: string, user: string): Promise<RefusedError | undefined> {
    if (room === LOBBY && (await keepers.roleOf(user)) === 'keeper') return undefined;
    return access.refusalOf(room, user);
  }

  async function visible(user: string, id: string): Promise<NewReport> {
    const report = await store.find(id, now());
    if (report && (await maySee(report, user))) return report;
    throw new RefusedError('not-found', 'This report was closed.');
  }

  async function present(reports: readonly NewReport[]): Promise<Report[]> {
    const named = await names.ofUsers(reports.flatMap(({ createdBy, about }) => [createdBy, about]));
    return reports.map(({ id, createdBy, about, createdAt, message, reason }) => ({
      id,
      by: userIn(named, createdBy),
      about: userIn(named, about),
      createdAt,
      ...(message && { room: message.room, message: message.serverOffset }),
      ...(reason !== undefined && { reason }),
    }));
  }

  /**
   * The message and those around it, as they stood when it was reported. What was deleted meanwhile is not shown: of the message
   * only that it was there. Reports of older versions do not say what is shown: then it is the message alone.
   */
  async function messagesOf(message: NonNullable<NewReport['message']>): Promise<ReportedMessage[]> {
    const { room, serverOffset, head, shown = [serverOffset] } = message;
    const { entries, amendments } = await log.entriesAt(room, shown);
    const then = amendments.filter((one) => isRemoval(one) || one.serverOffset <= head);
    const lines = fold(entries, then).filter(
      (line) => line.tag !== 'deleted' || line.serverOffset === serverOffset,
    );
    const first = entries.find((entry) => entry.serverOffset === serverOffset) as
      | { body?: string }
      | undefined;
    const named = await names.ofUsers(lines.map(({ author }) => author));
    return lines.map((line): ReportedMessage => {
      const { author, clientOffset, at } = line;
      const isEdited = line.serverOffset === serverOffset && line.tag === 'text' && line.edited;
      return {
        serverOffset: line.serverOffset,
        clientOffset,
        author: userIn(named, author),
        at,
        ...(line.tag === 'text' && { body: line.body }),
        ...(isEdited && first?.body !== undefined && { firstBody: first.body }),
      };
    });
  }

  async function review(id: string, without?: string): Promise<void> {
    if (id === LOBBY) return; // keepers see those
    const open = await store.open(id, now());
    const room = open.length > 0 ? await rooms.byId(id) : undefined;
    if (!room) return;
    const able = await moderation.moderators(room, without);
    const keeper = await keeperIds();
    for (const report of open) {
      const other = (user: string) => user !== report.about;
      if (!able.some(other) && keeper.some(other)) await store.toKeepers(report.id);
    }
  }

  /** Those of the lobby, for a keeper who has left it and does not see the lobby itself. */
  async function ofLobby(user: string): Promise<NewReport[]> {
    return (await access.refusalOf(LOBBY, user)) ? store.open(LOBBY, now()) : [];
  }

  async function mayDelete(user: string, { room: id }: { room: string }): Promise<boolean> {
    const room = await existing(id);
    if (room.kind === 'direct' || (await access.refusalOf(id, user))) return false;
    return (await moderation.rankOf(user, room)) !== 'member';
  }

  return {
    make: ({ user, device }, request) =>
      deps.inTurn(user.id, async () => {
        const reason = checkReportReason(request.reason ?? '');
        if (reason?.ok === false) throw new RefusedError(reason.code, reason.message);
        const subject =
          'person' in request
            ? await aboutPerson(request.person)
            : await aboutMessage(user.id, request.room, request.message);
        if (subject.about === user.id)
          throw refusedAs('forbidden', 'report-own', 'You cannot report yourself.');
        await checkRecipients(subject);
        // one that only the reported person could see would make this one a repeat
        if (subject.message) await review(subject.message.room);
        const createdAt = now();
        const report: NewReport = {
          id: idFrom(deps.random(16)),
          createdBy: user.id,
          createdAt,
          ...subject,
          ...(reason && { reason: reason.text }),
          expiresAt: createdAt + REPORT_LIFETIME_MS,
        };
        const most = { ofUser: REPORTS_PER_DAY, since: createdAt - DAY_MS, open: REPORTS_OPEN_MAX };
        const added = await store.add(report, most);
        if (added === 'added') audit.record('report-made', { user: user.id, device });
        if (added === 'added' || added === 'repeat') return;
        deps.onRefusal(added === 'full' ? 'reports-open' : 'reports', user.id);
        if (added === 'full')
          throw refusedAs('forbidden', 'report-full', 'Too many reports wait there; try again tomorrow.');
        const text = `You have made ${REPORTS_PER_DAY} reports within a day, which is the limit.`;
        throw refusedAs('forbidden', 'report-many', text);
      }),

    async list(identity, id) {
      const { user } = identity;
      if (id === undefined) await keepers.mustBeKeeper(identity);
      else {
        const refused = await refusalOf(id, user.id);
        if (refused) throw refused;
        if ((await moderation.rankOf(user.id, await existing(id))) === 'member') return [];
        await review(id);
      }
      const open = await store.open(id, now());
      if (id === undefined) open.push(...(await ofLobby(user.id)));
      const others = open.filter(({ about }) => about !== user.id);
      return present(others.toSorted((a, b) => a.createdAt - b.createdAt));
    },

    async read({ user }, id) {
      const found = await visible(user.id, id);
      const [report] = await present([found]);
      const { message } = found;
      const messages = message ? await messagesOf(message) : [];
      return { report: report!, messages, mayDelete: message ? await mayDelete(user.id, message) : false };
    },

    async close({ user, device }, id) {
      await visible(user.id, id);
      if (await store.close(id, now() + REPORT_KEPT_MS))
        audit.record('report-closed', { user: user.id, device });
    },

    review,
  };
}

function userIn(users: Users, id: string): User {
  return { id, ...(users[id] ?? { name: '', rev: 0 }) };
}

function refusedAs(code: 'forbidden' | 'not-found', reason: RefusalReason, message: string): RefusedError {
  return new RefusedError(code, message, undefined, reason);
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Entries behind the message, among which those that follow it are looked for: reactions and edits may lie between. */
const LOOKED_THROUGH_AFTER = 50;
const AFTER_BYTES = 64 * 1024;
