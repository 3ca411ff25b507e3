/** Observes every commit of every member and every result, and throws as soon as one breaks a promise. */
import type { EntryDocument } from '../../../../../../server/store/mongo/append/commands.ts';
import type { AppendResult, NewEntry } from '../../../../../../server/store/port.ts';
import { isMessage, ruleOf } from '../../../../../../shared/kinds.ts';
import type { Member } from './replicaSet.ts';
import { POISON } from './server.ts';

export class Broken extends Error {}

export interface Answered {
  items: readonly NewEntry[];
  results: readonly AppendResult[];
  /** The time of the writer's clock, which marks the entries of this append. */
  at: number;
  by: string;
  /** What was committed in the room at its start, and what the writer knew of it. */
  headBefore: number;
  knownHead: number;
}

export interface Witness {
  /** Everything that was ever committed, in order. */
  readonly committed: readonly EntryDocument[];
  headOf(room: string): number;
  /** Called when a member learns of further commits. */
  commits(member: Member): void;
  answers(answered: Answered): void;
  /** Items of one device in one room, in the order in which they were queued, without refused ones. */
  queued(items: readonly NewEntry[]): void;
}

export function createWitness(): Witness {
  const log: (EntryDocument | undefined)[] = [];
  const committed: EntryDocument[] = [];
  const rooms = new Map<string, Map<number, EntryDocument>>();
  const byKey = new Map<string, EntryDocument>();
  const removals = new Set<string>();
  const seen = new Map<Member, number>();

  function becomesVisible(entry: EntryDocument) {
    const room = rooms.get(entry.room) ?? new Map<number, EntryDocument>();
    rooms.set(entry.room, room);
    expect(entry.serverOffset === room.size + 1, `L1 L2 after ${room.size} comes ${show(entry)}`);
    expect(!byKey.has(keyOf(entry)), `L3 a second entry under the key of ${show(entry)}`);
    const { at: least = 0 } = room.get(room.size) ?? {};
    expect(entry.at >= least, `the time goes back from ${least} to that of ${show(entry)}`);
    room.set(entry.serverOffset, entry);
    byKey.set(keyOf(entry), entry);
    committed.push(entry);
    const { subject } = meantBy(entry);
    expect((entry.subject ?? '') === subject, `${show(entry)} is not about ${subject || 'nobody'}`);
    if (entry.target !== undefined) amends(entry, room.get(entry.target));
    if (ruleOf(entry.kind)?.effect === 'remove') removals.add(`${entry.room} ${entry.target}`);
  }

  function amends(entry: EntryDocument, message: EntryDocument | undefined) {
    const { target, targetAuthor } = meantBy(entry);
    const right =
      message && isMessage(message) && message.author === targetAuthor && message.clientOffset === target;
    expect(right, `${show(entry)} amends ${message ? show(message) : 'nothing'}`);
    const { effect } = ruleOf(entry.kind)!;
    if (effect === 'remove') return;
    const gone = effect === 'replace' && removals.has(`${entry.room} ${entry.target}`);
    const isRedacted = entry.body === undefined && entry.content === undefined && entry.deleted === true;
    expect(
      gone === isRedacted,
      `${show(entry)} is ${isRedacted ? '' : 'not '}redacted, its message is ${gone ? '' : 'not '}removed`,
    );
  }

  function classifyOrigin({ items, results, at, by, headBefore, knownHead }: Answered, index: number) {
    const item = items[index]!;
    const result = results[index]!;
    const entry = byKey.get(keyOf(item));
    const says = `${show(item)} is answered ${JSON.stringify(result)}`;
    switch (result.tag) {
      case 'appended':
      case 'repeat':
        expect(entry, `L4 ${says} and is not durable`);
        expect(
          entry!.serverOffset === result.serverOffset && entry!.at === result.at,
          `L4 ${says}: ${show(entry!)}`,
        );
        expect(entry!.digest === item.digest, `L3 ${says}, which is of other content`);
        if (result.tag === 'repeat') return;
        expect(entry!.by === by, `${says}, appended by another`);
        expect(entry!.at >= at, `${says}, and its clock said ${at}`);
        return;
      case 'conflict':
        expect(entry && entry.digest !== item.digest, `L3 ${says}, and there is no other content`);
        return;
      case 'failed':
        expect(item.body === POISON, `${says}, and is good`);
        return;
      case 'no-target': {
        const { target, targetAuthor } = meantBy(item);
        const key = keyOf({ room: item.room, author: targetAuthor, clientOffset: target });
        const message = byKey.get(key);
        const before = items.findIndex((other) => keyOf(other) === key);
        const inBatch = before >= 0 && before < index && isThere(results[before]);
        const wasThere = message && isMessage(message) && (message.serverOffset <= headBefore || inBatch);
        expect(!wasThere, `${says}, and its message is there`);
        // right after an election the refusal may be of the wrong kind, but not for entries that the writer knew
        expect(!entry || entry.serverOffset > knownHead, `L3 ${says}, and its key is in the log`);
        return;
      }
      default:
        throw new Broken(`${says}, which is none of the room's answers`);
    }
  }

  return {
    committed,
    headOf: (room) => rooms.get(room)?.size ?? 0,

    commits(member) {
      for (let i = seen.get(member) ?? 0; i < member.commit; i++) {
        const entry = member.log[i]!.document;
        if (i < log.length)
          expect(log[i] === entry, `L2 member ${member.id} has another entry in place ${i}`);
        else {
          log.push(entry);
          if (entry) becomesVisible(entry);
        }
      }
      seen.set(member, member.commit);
    },

    answers(answered) {
      for (const index of answered.results.keys()) classifyOrigin(answered, index);
    },

    queued(items) {
      let last = 0;
      for (const item of items) {
        const { serverOffset } = byKey.get(keyOf(item))!;
        expect(serverOffset > last, `L5 ${show(item)} stands before what was queued before it`);
        last = serverOffset;
      }
    },
  };
}

/** Devices write the intended content into the digest. */
function meantBy({ digest }: { digest: string }) {
  const [, , target = '', targetAuthor = '', subject = ''] = digest.split('|');
  return { target, targetAuthor, subject };
}

function isThere(result: AppendResult | undefined): boolean {
  return result?.tag === 'appended' || result?.tag === 'repeat';
}

function keyOf({
  room,
  author,
  clientOffset,
}: Pick<EntryDocument, 'room' | 'author' | 'clientOffset'>): string {
  return `${room} ${author} ${clientOffset}`;
}

function show(entry: { clientOffset: string }): string {
  return JSON.stringify(entry);
}

function expect(holds: unknown, sentence: string): void {
  if (!holds) throw new Broken(sentence);
}
