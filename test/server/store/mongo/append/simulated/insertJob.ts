/** An insert on a member: one document per step, so that anything can happen in between; then a wait for the majority. */
import type {
  Command,
  EntryDocument,
  InsertReply,
} from '../../../../../../server/store/mongo/append/commands.ts';
import type { Random } from '../../../../../support/random.ts';
import type { Member } from './replicaSet.ts';
import { type Job, type Note, POISON, SAME, type ServerRules, unknown } from './server.ts';

type Insert = Extract<Command, { do: 'insert' }>;

/** State that all members share for inserts. */
export interface Inserting {
  rules: ServerRules;
  random: Random;
  note: Note;
  /** Statements that some member has executed; they may still be rolled back. */
  executed: Set<string>;
}

/** A retried command has the same `id`: a retryable write. */
export function startInsert(
  member: Member,
  { documents }: Insert,
  id: string,
  { rules, random, note, executed }: Inserting,
): Job {
  const { term } = member;
  let next = 0;
  let inserted = 0;
  let failure: InsertReply | undefined;
  let waitFor: number | undefined;

  function isOver() {
    return next === documents.length || (failure !== undefined && rules.ordered);
  }

  function isCommitted() {
    if (rules.waits === 'never' || (rules.waits === 'unless a document failed' && failure)) return true;
    return waitFor === undefined || member.commit >= waitFor;
  }

  function insertNext() {
    const statement = `${id}.${next}`;
    const document = documents[next]!;
    next += 1;
    const before = member.log.findIndex((entry) => entry.statement === statement);
    if (before >= 0) note('a repeated command is recognised');
    else {
      const problem = problemOf(document, inserted);
      if (problem) {
        failure ??= problem;
        // a server also waits for the document that caused the duplicate; the algorithm does not rely on it
        if (random.int(0, 1) === 0) waitFor = member.log.length;
        note(problem.tag === 'duplicate' ? `another has its ${problem.of}` : 'it is refused');
        if (inserted > 0) note('only the first documents are inserted');
        return;
      }
      if (executed.has(statement))
        note('a repeated command is executed again: the first time is rolled back');
      executed.add(statement);
      member.log.push({ term, document, statement });
    }
    waitFor = Math.max(waitFor ?? 0, before < 0 ? member.log.length : before + 1);
    if (!failure) inserted += 1;
  }

  function problemOf(document: EntryDocument, inserted: number): InsertReply | undefined {
    if (document.body === POISON) return { tag: 'refused', inserted, message: 'refused for its content' };
    const others = member.log
      .flatMap((entry) => entry.document ?? [])
      .filter((it) => it.room === document.room);
    const violated = (['serverOffset', 'clientOffset'] as const).filter(
      (index) => rules.unique[index] && others.some((other) => SAME[index](other, document)),
    );
    return violated.length > 0 ? { tag: 'duplicate', inserted, of: random.pick(violated) } : undefined;
  }

  return {
    canAdvance: () => member.term !== term || member.role !== 'primary' || !isOver() || isCommitted(),
    advance() {
      if (member.role !== 'primary' || member.term !== term) {
        if (next > 0 && !isOver()) note('an insert is interrupted between its documents');
        return unknown('stepped down');
      }
      if (!isOver()) {
        insertNext();
        return undefined;
      }
      return isCommitted() ? (failure ?? { tag: 'inserted' }) : undefined;
    },
  };
}
