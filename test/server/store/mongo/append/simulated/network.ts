/**
 * The network between a writer and the members: commands and replies in flight, for as long as the scheduler likes. A
 * command whose sender has timed out is still delivered. A driver retries a command once, as the same retryable write, to
 * the member that it then takes for the primary; the first answer counts.
 */
import type { Command, Reply } from '../../../../../../server/store/mongo/append/commands.ts';
import type { Random } from '../../../../../support/random.ts';
import { startInsert } from './insertJob.ts';
import { startRead } from './readJob.ts';
import type { Member, ReplicaSet } from './replicaSet.ts';
import { type Job, type Note, type ServerRules, unknown } from './server.ts';

type Sent = Exclude<Command, { do: 'await-head' }>;

/** A writer's driver. */
export interface Client {
  believesIn: Member;
  isPaused: boolean;
}

interface Call {
  id: string;
  client: Client;
  command: Sent;
  sentAgain: boolean;
  answer: ((reply: Reply) => void) | undefined;
}

interface Copy {
  call: Call;
  member: Member;
  at: { tag: 'travelling' } | { tag: 'running'; job: Job } | { tag: 'returning'; reply: Reply };
}

export interface Network {
  /** The returned function drops the call at the client; the command is still delivered. */
  send(client: Client, command: Sent, answer: (reply: Reply) => void): () => void;
  deliver(random: Random): boolean;
  advance(random: Random): boolean;
  reply(random: Random): boolean;
  /** A connection is lost: the outcome is unknown to the caller. */
  cut(random: Random): boolean;
}

export function createNetwork({ members }: ReplicaSet, rules: ServerRules, note: Note): Network {
  let copies: Copy[] = [];
  const executed = new Set<string>();
  let calls = 0;

  function pick(random: Random, suits: (copy: Copy) => boolean): Copy | undefined {
    const some = copies.filter(suits);
    return some.length > 0 ? random.pick(some) : undefined;
  }

  function giveUp(call: Call, message: string) {
    if (!call.sentAgain) {
      call.sentAgain = true;
      call.client.believesIn = lastPrimary(members) ?? call.client.believesIn;
      copies.push({ call, member: call.client.believesIn, at: { tag: 'travelling' } });
      return;
    }
    const { answer } = call;
    call.answer = undefined;
    answer?.(unknown(message));
  }

  return {
    send(client, command, answer) {
      calls += 1;
      const call: Call = {
        id: String(calls),
        client,
        command,
        sentAgain: false,
        answer,
      };
      copies.push({ call, member: client.believesIn, at: { tag: 'travelling' } });
      return () => {
        call.answer = undefined;
      };
    },

    deliver(random) {
      const copy = pick(random, ({ at }) => at.tag === 'travelling');
      if (!copy) return false;
      const { call, member } = copy;
      const { command } = call;
      if (command.do === 'insert' && !call.answer) note('an insert arrives after it was given up');
      if (member.role !== 'primary') copy.at = { tag: 'returning', reply: unknown('not primary') };
      else if (command.do !== 'insert') copy.at = { tag: 'running', job: startRead(member, command, rules) };
      else
        copy.at = {
          tag: 'running',
          job: startInsert(member, command, call.id, { rules, random, note, executed }),
        };
      return true;
    },

    advance(random) {
      const copy = pick(random, ({ at }) => at.tag === 'running' && at.job.canAdvance());
      if (copy?.at.tag !== 'running') return false;
      const reply = copy.at.job.advance();
      if (reply !== undefined) copy.at = { tag: 'returning', reply };
      return true;
    },

    reply(random) {
      const copy = pick(random, ({ at, call }) => at.tag === 'returning' && !call.client.isPaused);
      if (copy?.at.tag !== 'returning') return false;
      const { reply } = copy.at;
      const { call } = copy;
      copies = copies.filter((other) => other !== copy);
      if (!call.answer) return true;
      if (isUnknown(reply) && !call.sentAgain) {
        giveUp(call, reply.message);
        return true;
      }
      const { answer } = call;
      call.answer = undefined;
      answer(reply);
      return true;
    },

    cut(random) {
      const copy = pick(random, ({ call }) => call.answer !== undefined && !call.client.isPaused);
      if (!copy) return false;
      if (copy.at.tag === 'returning') copies = copies.filter((other) => other !== copy);
      giveUp(copy.call, 'the connection was lost');
      return true;
    },
  };
}

export function lastPrimary(members: readonly Member[]): Member | undefined {
  return members
    .filter(({ role }) => role === 'primary')
    .sort((one, other) => other.term - one.term)
    .at(0);
}

function isUnknown(reply: Reply): reply is { tag: 'unknown'; message: string } {
  return typeof reply === 'object' && 'tag' in reply && reply.tag === 'unknown';
}
