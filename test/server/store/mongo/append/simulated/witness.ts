/** Sees every commit of every member and every answer, and throws as soon as one breaks a promise. */
import type { EntryDocument } from '../../../../../../server/store/mongo/append/commands.ts';
import type { AppendResult, NewEntry } from '../../../../../../server/store/port.ts';
import type { Member } from './replicaSet.ts';
import { POISON } from './server.ts';

export class Broken extends Error {}

export interface Answered {
  items: readonly NewEntry[];
  results: readonly AppendResult[];
  at: number;
  /** What was committed in the room when it began, and what of it was known to the writer. */
  headBefore: number;
  knownHead: number;
}

export interface Witness {
  /** What was ever committed, in order. */
  readonly committed: readonly EntryDocument[];
  headOf(room: string): number;
  /** A member knows more to be committed than before. */
  commits(member: Member): void;
  answers(answered: Answered): void;
  /** Items of one device in one room, in the order they were queued, without those that were refused. */
  queued(items: readonly NewEntry[]): void;
}

export function createWitness(): Witness {
  const log: (EntryDocument | undefined)[] = [];
  const committed: EntryDocument[] = [];
  const rooms = new Map<string, Map<number, EntryDocument>>();
  const byKey = new Map<string, EntryDocument>();
  const deletes = new Set<string>();
  const seen = new Map<Member, number>();

  function becomesVisible(entry: EntryDocument) {
    const room = rooms.get(entry.room) ?? new Map<number, EntryDocument>();
    rooms.set(entry.room, room);
    expect(entry.serverOffset === room.size + 1, `L1 L2 after ${room.size} comes ${show(entry)}`);
    expect(!byKey.has(keyOf(entry)), `L3 a second entry under the key of ${show(entry)}`);
    room.set(entry.serverOffset, entry);
    byKey.set(keyOf(entry), entry);
    committed.push(entry);
    if (entry.target !== undefined) amends(entry, room.get(entry.target));
    if (entry.kind === 'delete') deletes.add(`${entry.room} ${entry.target}`);
  }

  function amends(entry: EntryDocument, text: EntryDocument | undefined) {
    const [, , target] = entry.digest.split('|');
    const right = text?.kind === 'text' && text.author === entry.author && text.clientOffset === target;
    expect(right, `${show(entry)} amends ${text ? show(text) : 'nothing'}`);
    if (entry.kind !== 'edit') return;
    const gone = deletes.has(`${entry.room} ${entry.target}`);
    const blank = entry.body === undefined && entry.deleted === true;
    expect(
      gone === blank,
      `${show(entry)} is ${blank ? '' : 'not '}blank, its text is ${gone ? '' : 'not '}deleted`,
    );
  }

  function judge({ items, results, at, headBefore, knownHead }: Answered, index: number) {
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
        expect(result.tag === 'repeat' || entry!.at === at, `${says}, appended by another`);
        return;
      case 'conflict':
        expect(entry && entry.digest !== item.digest, `L3 ${says}, and there is no other content`);
        return;
      case 'failed':
        expect(item.body === POISON, `${says}, and is good`);
        return;
      case 'no-target': {
        const text = byKey.get(keyOf({ ...item, clientOffset: item.target! }));
        const before = items.findIndex(
          (other) => keyOf(other) === keyOf({ ...item, clientOffset: item.target! }),
        );
        const inBatch = before >= 0 && before < index && isThere(results[before]);
        const wasThere = text?.kind === 'text' && (text.serverOffset <= headBefore || inBatch);
        expect(!wasThere, `${says}, and its text is there`);
        // right after an election it may be the wrong one of two refusals, but not of what the writer knew
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
      for (const index of answered.results.keys()) judge(answered, index);
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
