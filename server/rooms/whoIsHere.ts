/**
 * Who is here: who looks at a page of theirs, on any process. Each process knows its own connections, and tells the others
 * who came and went there. All in memory; decides, and sends nothing itself.
 */
import { HERE_LEFT_MS, HERE_SHOWN_MS } from '../../shared/limits.ts';
import {
  PRESENCE_REPORT_MS,
  PRESENCE_SILENT_MS,
  SEEN_EVERY_MS,
  SEEN_WRITES_EVERY_MS,
} from '../base/serverLimits.ts';
import type { Seen } from '../store/port.ts';

/** What a process tells the others. Times are milliseconds since 1970. */
export interface HereReport {
  process: string;
  /** 0, 1, 2 …: a gap shows that a report was lost. */
  seq: number;
  came: string[];
  /** With the time at which they were here last; 0: they hide it. */
  went: [user: string, at: number][];
  /** Everybody who is here by this process, in place of `came`. */
  all?: string[];
}

export interface WhoIsHere {
  /** A page of this user says whether somebody looks at it. */
  sign(connection: string, user: string, isHere: boolean): void;
  /** The connection was closed. */
  ended(connection: string): void;
  /** Whether this user hides. Nobody is shown before this is known. */
  hides(user: string, hides: boolean): void;
  /** By any process, as it was at the last `advance`. */
  isHere(user: string): boolean;
  /** When somebody was here last who went lately, in milliseconds since 1970. */
  wentAt(user: string): number | undefined;
  /** Returns whether that process should be asked for all: a report was lost. */
  heard(report: HereReport): boolean;
  /** Another process asks for all who are here by this one. */
  asked(): void;
  advance(): Advance;
  /** The times could not be stored: they are given out again. */
  notSaved(seen: readonly Seen[]): void;
}

interface Advance {
  /** Who came or went since the last call, of all processes. */
  changed: string[];
  /** To be told to the other processes. */
  report: HereReport | undefined;
  /** Of whom it is not known whether they hide. */
  unknown: string[];
  /** When people were here last: to be stored. */
  seen: Seen[];
}

interface Deps {
  /** The id of this process. */
  process: string;
  /** A monotonic clock in milliseconds. */
  ticks: () => number;
  /** The wall clock in milliseconds. */
  now: () => number;
}

interface Local {
  /** When each connection stops to count, in `ticks()`. */
  ends: Map<string, number>;
  hides: boolean | undefined;
  /** When the time was given out to be stored, in `ticks()`. */
  savedAt: number;
}

interface Remote {
  seq: number;
  users: Set<string>;
  heardAt: number;
}

/** How many people who went are remembered; the store has the others. */
const MAX_WENT = 20_000;

export function createWhoIsHere({ process, ticks, now }: Deps): WhoIsHere {
  const locals = new Map<string, Local>();
  const userOf = new Map<string, string>();
  const remotes = new Map<string, Remote>();
  /** Who is here by this process as the others were told, and by any process as `changed` has said. */
  const reported = new Set<string>();
  const shown = new Set<string>();
  /** Whose state may have changed since the last `advance`. */
  const touched = new Set<string>();
  /** When people were here last who went lately; the oldest first. */
  const went = new Map<string, number>();
  let unsaved = new Map<string, number>();
  let writtenAt = Number.NEGATIVE_INFINITY;
  let seq = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let sendsAll = true;

  function forget(connection: string, user: string): void {
    userOf.delete(connection);
    const local = locals.get(user);
    local?.ends.delete(connection);
    if (local?.ends.size !== 0) return;
    locals.delete(user);
    touched.add(user);
  }

  function endSoon(connection: string): void {
    const ends = locals.get(userOf.get(connection) ?? '')?.ends;
    const end = ends?.get(connection);
    if (end !== undefined) ends!.set(connection, Math.min(end, ticks() + HERE_LEFT_MS));
  }

  function remember(user: string, at: number): void {
    const latest = Math.max(at, went.get(user) ?? 0);
    went.delete(user);
    went.set(user, latest);
    if (went.size > MAX_WENT) went.delete(went.keys().next().value!);
  }

  function expire(): void {
    const at = ticks();
    for (const [user, { ends }] of locals)
      for (const [connection, end] of ends) if (end <= at) forget(connection, user);
    for (const [id, { heardAt, users }] of remotes) {
      if (at - heardAt < PRESENCE_SILENT_MS) continue;
      remotes.delete(id);
      for (const user of users) {
        touched.add(user);
        remember(user, now() - (at - heardAt));
      }
    }
  }

  function isHereAnywhere(user: string): boolean {
    return reported.has(user) || [...remotes.values()].some(({ users }) => users.has(user));
  }

  function reportOf(came: string[], gone: [string, number][]): HereReport | undefined {
    const at = ticks();
    const isDue = at - reportedAt >= PRESENCE_REPORT_MS;
    if (!isDue && !sendsAll && came.length === 0 && gone.length === 0) return undefined;
    reportedAt = at;
    const all = sendsAll ? { came: [], all: [...reported] } : { came };
    sendsAll = false;
    return { process, seq: seq++, went: gone, ...all };
  }

  function timesToSave(): Seen[] {
    const at = ticks();
    for (const [user, local] of locals) {
      if (local.hides !== false || at - local.savedAt < SEEN_EVERY_MS) continue;
      local.savedAt = at;
      unsaved.set(user, now());
    }
    if (unsaved.size === 0 || at - writtenAt < SEEN_WRITES_EVERY_MS) return [];
    writtenAt = at;
    const seen = [...unsaved].map(([user, time]) => ({ user, at: time }));
    unsaved = new Map();
    return seen;
  }

  return {
    sign(connection, user, isHere) {
      if (!isHere) return endSoon(connection);
      const local = locals.get(user) ?? { ends: new Map(), hides: undefined, savedAt: ticks() };
      if (!locals.has(user)) touched.add(user);
      locals.set(user, local);
      userOf.set(connection, user);
      local.ends.set(connection, ticks() + HERE_SHOWN_MS);
    },
    ended: endSoon,
    hides(user, hides) {
      if (hides) {
        went.delete(user);
        unsaved.delete(user);
      }
      const local = locals.get(user);
      if (!local || local.hides === hides) return;
      local.hides = hides;
      touched.add(user);
    },
    isHere: (user) => shown.has(user),
    wentAt: (user) => went.get(user),
    heard(report) {
      if (report.process === process) return false;
      const known = remotes.get(report.process);
      const remote = known ?? { seq: -1, users: new Set(), heardAt: 0 };
      remotes.set(report.process, remote);
      remote.heardAt = ticks();
      const isNext = report.all !== undefined || report.seq === remote.seq + 1;
      if (!isNext) return true;
      remote.seq = report.seq;
      for (const [user, at] of report.went) {
        touched.add(user);
        remote.users.delete(user);
        if (at > 0) remember(user, at);
        else went.delete(user);
      }
      if (report.all) {
        for (const user of remote.users) touched.add(user);
        remote.users = new Set();
      }
      for (const user of report.all ?? report.came) {
        touched.add(user);
        remote.users.add(user);
      }
      return false;
    },
    asked() {
      sendsAll = true;
    },
    advance() {
      expire();
      const came: string[] = [];
      const gone: [string, number][] = [];
      for (const user of touched) {
        const local = locals.get(user);
        const isHere = local?.hides === false;
        if (isHere && !reported.has(user)) {
          reported.add(user);
          came.push(user);
        } else if (!isHere && reported.delete(user)) {
          const at = local?.hides ? 0 : now();
          gone.push([user, at]);
          if (at === 0) continue;
          remember(user, at);
          unsaved.set(user, at);
        }
      }
      const changed = [...touched].filter((user) => isHereAnywhere(user) !== shown.has(user));
      touched.clear();
      for (const user of changed) if (!shown.delete(user)) shown.add(user);
      const unknown = [...locals].flatMap(([user, { hides }]) => (hides === undefined ? [user] : []));
      return { changed, report: reportOf(came, gone), unknown, seen: timesToSave() };
    },
    notSaved(seen) {
      for (const { user, at } of seen) unsaved.set(user, Math.max(at, unsaved.get(user) ?? 0));
    },
  };
}
