/** A read on a member: immediate, of what it knows to be committed; a missing target takes a linearizable read. */
import type {
  Command,
  EntryDocument,
  FoundEntry,
  Replies,
  Target,
} from '../../../../../../server/store/mongo/append/commands.ts';
import { isMessage, ruleOf } from '../../../../../../shared/kinds.ts';
import type { Member } from './replicaSet.ts';
import { type Job, SAME, type ServerRules, unknown } from './server.ts';

type Read = Exclude<Command, { do: 'insert' | 'await-head' }>;

export function startRead(member: Member, command: Read, rules: ServerRules): Job {
  const { term } = member;
  let waitFor: number | undefined;

  return {
    canAdvance: () => waitFor === undefined || member.term !== term || member.commit >= waitFor,
    advance() {
      if (member.role !== 'primary' || member.term !== term) return unknown('stepped down');
      if (waitFor !== undefined && member.commit < waitFor) return undefined;
      const reply = read(member, command, rules);
      const misses = command.do === 'targets' && Array.isArray(reply) && reply.includes(undefined);
      if (!misses || waitFor !== undefined || !rules.makesSure) return reply;
      // linearizable: a no-op that the majority commits shows that this member is still the primary
      waitFor = member.log.push({ term });
      return undefined;
    },
  };
}

function read(member: Member, command: Read, rules: ServerRules): Replies[Read['do']] {
  const log = rules.readsLocally === command.do ? member.log : member.log.slice(0, member.commit);
  const entries = log.flatMap(({ document }) => (document?.room === command.room ? [document] : []));
  const { serverOffset = 0, at = 0 } = entries.at(-1) ?? {};
  if (serverOffset < command.from) {
    if (rules.guardsFrom) return unknown('this member is behind');
    if (command.do === 'head') return { serverOffset: command.from, at };
  }
  switch (command.do) {
    case 'head':
      return { serverOffset, at };
    case 'find':
      return command.keys.map((key) => found(entries.find((entry) => SAME.clientOffset(entry, key))));
    case 'targets':
      return command.keys.map((key) =>
        target(
          entries,
          entries.find((entry) => SAME.clientOffset(entry, key)),
          rules,
        ),
      );
  }
}

function found(entry: EntryDocument | undefined): FoundEntry | undefined {
  if (!entry) return undefined;
  const { serverOffset, at, digest, kind, target, subject, pending } = entry;
  return {
    serverOffset,
    at,
    digest,
    kind,
    ...(target !== undefined && { target }),
    ...(subject !== undefined && { subject }),
    ...(pending && { pending }),
  };
}

function target(
  entries: readonly EntryDocument[],
  entry: EntryDocument | undefined,
  { messages, removals }: ServerRules,
): Target | undefined {
  if (!entry || !(messages === 'texts' ? entry.kind === 'text' : isMessage(entry))) return undefined;
  const removes = ({ kind }: EntryDocument) =>
    removals === 'deletes' ? kind === 'delete' : ruleOf(kind)?.effect === 'remove';
  const { serverOffset } = entry;
  return {
    serverOffset,
    deleted: entries.some((one) => removes(one) && one.target === serverOffset),
  };
}
