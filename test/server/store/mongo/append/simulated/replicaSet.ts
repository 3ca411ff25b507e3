/**
 * Three members with an oplog each, one of them elected: MongoDB's replication as far as it matters for appends. Members
 * pull the oplog of a primary in order and report their positions; a primary of the current term commits what a majority
 * has. A member that voted in a later term acknowledges nothing to an earlier primary, which stays primary until it hears
 * of the later term. Every change is one step; the scheduler chooses what happens in between.
 */
import type { EntryDocument } from '../../../../../../server/store/mongo/append/commands.ts';

export interface LogEntry {
  term: number;
  /** Undefined: the no-op that a primary writes at the start of its term. */
  document?: EntryDocument;
  /** The retryable write that wrote it, to recognise a retry. */
  statement?: string;
}

export interface Member {
  readonly id: number;
  role: 'primary' | 'secondary';
  term: number;
  log: LogEntry[];
  /** Length of the part of its oplog that it knows to be committed. */
  commit: number;
  /** As primary: the length of the oplog that each member has reported. */
  reported: number[];
}

export interface ReplicaSet {
  readonly members: readonly Member[];
  /** Pulls the next entries of the source's oplog, after rolling back what the source does not have. False: nothing to do. */
  pull(member: Member, source: Member, atMost: number): boolean;
  report(member: Member, primary: Member): boolean;
  /** False if the voter's oplog is ahead of the candidate's. */
  elect(candidate: Member, voter: Member): boolean;
}

export function createReplicaSet(onCommit: (member: Member) => void, onUndone: (entry: LogEntry) => void) {
  const members: Member[] = [0, 1, 2].map((id) => ({
    id,
    role: 'secondary',
    term: 0,
    log: [],
    commit: 0,
    reported: [0, 0, 0],
  }));

  function commit(member: Member, upTo: number) {
    if (upTo <= member.commit) return;
    member.commit = upTo;
    onCommit(member);
  }

  const set: ReplicaSet = {
    members,

    pull(member, source, atMost) {
      if (member === source || source.role !== 'primary') return false;
      if (hears(source, member.term)) return true;
      hears(member, source.term);
      const common = inCommon(member.log, source.log);
      for (const entry of member.log.splice(common)) onUndone(entry);
      member.log.push(...source.log.slice(common, common + atMost));
      commit(member, Math.min(source.commit, member.log.length));
      return true;
    },

    report(member, primary) {
      if (member === primary || primary.role !== 'primary') return false;
      if (hears(primary, member.term)) return true;
      if (member.term < primary.term) return false;
      const has = inCommon(member.log, primary.log);
      if (has <= primary.reported[member.id]!) return false;
      primary.reported[member.id] = has;
      // of three members, one other makes a majority; entries of earlier terms are committed by a later one of the current term
      const upTo = Math.max(...primary.reported);
      if (upTo > 0 && primary.log[upTo - 1]!.term === primary.term) commit(primary, upTo);
      return true;
    },

    elect(candidate, voter) {
      if (candidate === voter || candidate.role === 'primary' || isAhead(voter.log, candidate.log))
        return false;
      const term = Math.max(candidate.term, voter.term) + 1;
      hears(voter, term);
      hears(candidate, term);
      candidate.role = 'primary';
      candidate.log.push({ term });
      candidate.reported = [0, 0, 0];
      return true;
    },
  };
  set.elect(members[0]!, members[1]!);
  return set;
}

/** True if the term is later than its own: then it steps down, if it was primary. */
function hears(member: Member, term: number): boolean {
  if (term <= member.term) return false;
  member.term = term;
  member.role = 'secondary';
  return true;
}

/** Oplogs with a common entry are equal up to it. */
function inCommon(one: readonly LogEntry[], other: readonly LogEntry[]): number {
  let length = Math.min(one.length, other.length);
  while (length > 0 && one[length - 1] !== other[length - 1]) length -= 1;
  return length;
}

function isAhead(one: readonly LogEntry[], other: readonly LogEntry[]): boolean {
  const [mine, theirs] = [one.at(-1)?.term ?? 0, other.at(-1)?.term ?? 0];
  return mine === theirs ? one.length > other.length : mine > theirs;
}
