/** Variants of the algorithm or the replica set with one broken rule each. The simulation must find each, by the named promise. */
import {
  asksForOwn,
  between,
  digestOf,
  dropsSubjects,
  forgetsKeys,
  forgetsTimes,
  goesOn,
  keepsHead,
  keepsTargets,
  skipsNumbers,
  takesLossForHead,
  targetsFirst,
} from './falsified.ts';
import type { Variant } from './simulation.ts';

export interface BrokenVariant extends Variant {
  /** The promise that this variant breaks. */
  promise: 'L1' | 'L3' | 'L4' | 'L5' | 'amendments' | 'subjects' | 'times';
  rule: string;
  caughtBy: RegExp;
  /** First seed to try. For a fault that shows once in thousands of seeds: shortly before a known one. */
  fromSeed?: number;
}

export const BROKEN: BrokenVariant[] = [
  {
    promise: 'L1',
    rule: 'the head is read without majority',
    server: { readsLocally: 'head' },
    caughtBy: /^L1 L2 after/,
  },
  {
    promise: 'L1',
    rule: 'the tail tells of what is not committed',
    tailsLocally: true,
    caughtBy: /^L1 L2 after/,
  },
  {
    promise: 'L1',
    rule: 'a lost race is taken for a committed entry',
    lead: between(takesLossForHead),
    caughtBy: /^L1 L2 after/,
  },
  {
    promise: 'L1',
    rule: 'the next head is reckoned from an insert whose fate is unknown',
    lead: keepsHead,
    caughtBy: /^L1 L2 after/,
  },
  {
    promise: 'L1',
    rule: 'a repeat uses up a number',
    lead: between(skipsNumbers),
    caughtBy: /^L1 L2 after/,
  },
  {
    promise: 'L1',
    rule: 'inserts are not ordered',
    server: { ordered: false },
    caughtBy: /^L1 L2 after/,
  },
  {
    promise: 'L1',
    rule: 'nothing compares: no unique index on the serverOffset',
    server: { unique: { serverOffset: false, clientOffset: true } },
    caughtBy: /^L1 L2 after/,
  },
  {
    promise: 'L3',
    rule: 'no unique index on the clientOffset',
    server: { unique: { serverOffset: true, clientOffset: false } },
    caughtBy: /^L3 a second entry/,
  },
  {
    promise: 'L4',
    rule: 'unknown is taken for done',
    lead: between(() => ({
      reply: { insert: (_, reply) => (reply.tag === 'unknown' ? { tag: 'inserted' } : reply) },
    })),
    caughtBy: /^L4 .* is not durable/,
  },
  {
    promise: 'L4',
    rule: 'an insert does not wait for the majority',
    server: { waits: 'never' },
    caughtBy: /^L4 .* is not durable/,
  },
  {
    promise: 'L4',
    rule: 'what was inserted before a duplicate is not waited for',
    server: { waits: 'unless a document failed' },
    caughtBy: /^L4 .* is not durable/,
  },
  {
    promise: 'L4',
    rule: 'a duplicate ends a batch that counts as done',
    lead: between(() => ({
      reply: { insert: (_, reply) => (reply.tag === 'duplicate' ? { tag: 'inserted' } : reply) },
    })),
    caughtBy: /^L4 /,
  },
  {
    promise: 'L4',
    rule: 'a repeat is looked up without majority',
    server: { readsLocally: 'find' },
    caughtBy: /^L4 .* is not durable/,
  },
  {
    promise: 'L3',
    rule: 'digests are not compared',
    lead: between(({ items }) => ({
      reply: {
        find: ({ keys }, reply) =>
          Array.isArray(reply)
            ? reply.map(
                (found, i) => found && { ...found, digest: digestOf(items, keys[i]!) ?? found.digest },
              )
            : reply,
      },
    })),
    caughtBy: /^L3 .* of other content/,
  },
  {
    promise: 'L5',
    rule: 'a repeat that is not committed yet holds nobody up',
    lead: goesOn,
    caughtBy: /^L5 /,
  },
  {
    promise: 'L3',
    rule: 'that there is no target is said before the key is looked up',
    lead: between(forgetsKeys),
    caughtBy: /^L3 .* its key is in the log/,
  },
  {
    promise: 'amendments',
    rule: 'that a target is missing is not made sure of',
    server: { makesSure: false },
    caughtBy: /no-target.* its message is there/,
  },
  {
    promise: 'amendments',
    rule: 'targets are looked up once, before the head is known',
    lead: targetsFirst,
    caughtBy: /is not redacted, its message is removed/,
  },
  {
    promise: 'amendments',
    rule: 'a deposed primary may answer what the targets are',
    server: { guardsFrom: false },
    fromSeed: 2_200,
    caughtBy: /is not redacted, its message is removed/,
  },
  {
    promise: 'amendments',
    rule: 'targets are read without majority',
    server: { readsLocally: 'targets' },
    caughtBy: /amends|redacted/,
  },
  {
    promise: 'amendments',
    rule: 'a target within the batch is not renumbered',
    lead: between(keepsTargets),
    caughtBy: / amends /,
  },
  {
    promise: 'amendments',
    rule: 'only the removal of an author is looked for, not that of somebody else',
    server: { removals: 'deletes' },
    caughtBy: /is not redacted, its message is removed/,
  },
  {
    promise: 'amendments',
    rule: 'only texts are taken for messages',
    server: { messages: 'texts' },
    caughtBy: /no-target.* its message is there/,
  },
  {
    promise: 'amendments',
    rule: 'what another wrote is looked up under the own name',
    lead: between(asksForOwn),
    caughtBy: /no-target.* its message is there/,
  },
  {
    promise: 'subjects',
    rule: 'the subject of an entry is not stored',
    lead: between(dropsSubjects),
    caughtBy: /is not about (ann|bob)/,
  },
  {
    promise: 'times',
    rule: 'of the head only its place is known',
    lead: forgetsTimes,
    caughtBy: /the time goes back/,
  },
];
