/**
 * The table of kinds: what an entry of each kind is and does. Server and app read this table instead of naming kinds.
 * It has no schemas, so that the first paint need not load them; the schemas of items are in protocol/items.ts.
 */
import type { Amendment, Entry, KnownEntry } from './entry.ts';

export interface KindRule {
  /** Who may append it: a member by `append`, or the server alone (an item of such a kind is `invalid`). */
  by: 'member' | 'server';
  /** True: it is shown as a message of its own and counts as unread. */
  message: boolean;
  /** What its `target` names: nothing, a message of the author's own, or anybody's message in the room. */
  target: 'none' | 'own' | 'any';
  /**
   * What it does to its target. `replace`: the one with the greatest serverOffset holds. `remove`: the target and all that
   * replaces it lose their content, for good. `aggregate`: it is counted with others of its kind (apps never count).
   */
  effect: 'none' | 'replace' | 'remove' | 'aggregate';
  /** It makes its subject a member of the room, or ends the membership. */
  membership?: 'joined' | 'left';
  /** An item of this kind is sent only to a server that lists this feature. Absent: every server has it. */
  feature?: string;
}

const TABLE: ReadonlyMap<string, KindRule> = new Map<string, KindRule>([
  ['text', { by: 'member', message: true, target: 'none', effect: 'none' }],
  ['edit', { by: 'member', message: false, target: 'own', effect: 'replace' }],
  ['delete', { by: 'member', message: false, target: 'own', effect: 'remove' }],
  ['join', { by: 'server', message: false, target: 'none', effect: 'none', membership: 'joined' }],
  ['leave', { by: 'server', message: false, target: 'none', effect: 'none', membership: 'left' }],
]);

let table = TABLE;

/** The table in use. */
export function kinds(): ReadonlyMap<string, KindRule> {
  return table;
}

/** Replaces the table: in a thread of the server, which is handed the main thread's, and in tests. Undefined: the product's own. */
export function useKinds(kinds: ReadonlyMap<string, KindRule> | undefined): void {
  table = kinds ?? TABLE;
}

/** The kinds of version 0.1: a process of that version may share a MongoDB with this one as long as there are no others. */
export function isFirstKind(kind: string): boolean {
  return FIRST_KINDS.has(kind);
}

const FIRST_KINDS: ReadonlySet<string> = new Set(['text', 'edit', 'delete', 'join', 'leave']);

/** Undefined for a kind that this version does not know. */
export function ruleOf(kind: string): KindRule | undefined {
  return table.get(kind);
}

/** True for the kinds whose fields this version knows by type. */
export function isKnown(entry: Entry): entry is KnownEntry {
  return isFirstKind(entry.kind) && entry.unreadable === undefined;
}

/** Shown as a message of its own. An unknown kind with a target shows nothing; one without says that it is unknown. */
export function isMessage(entry: Pick<Entry, 'kind' | 'target'>): boolean {
  return ruleOf(entry.kind)?.message ?? entry.target === undefined;
}

/** An entry that replaces or removes the content of another. */
export function isAmendment(entry: Entry): entry is Amendment {
  const effect = ruleOf(entry.kind)?.effect;
  return (effect === 'replace' || effect === 'remove') && entry.target !== undefined;
}

export function isRemoval(entry: Entry): boolean {
  return isAmendment(entry) && ruleOf(entry.kind)?.effect === 'remove';
}

export function isReplacement(entry: Entry): boolean {
  return isAmendment(entry) && ruleOf(entry.kind)?.effect === 'replace';
}

/** True where the amendment may change that target: its author's own, unless the kind may amend anybody's. */
export function mayAmend(amendment: Pick<Entry, 'kind' | 'author'>, target: Pick<Entry, 'author'>): boolean {
  return ruleOf(amendment.kind)?.target === 'any' || amendment.author === target.author;
}

/** The person that an entry is about: its `subject`, or its author where it names none. */
export function subjectOf(entry: Pick<Entry, 'author' | 'subject'>): string {
  return entry.subject ?? entry.author;
}

export function membershipOf(entry: Pick<Entry, 'kind'>): KindRule['membership'] {
  return ruleOf(entry.kind)?.membership;
}

/** What a server that takes all kinds of the table lists beyond what every server has. */
export function featuresOf(kinds: ReadonlyMap<string, KindRule>): string[] {
  return [...new Set([...kinds.values()].flatMap(({ feature }) => feature ?? []))];
}

/** Kinds with this effect on their targets, for queries. */
export function kindsThat(effect: KindRule['effect']): string[] {
  return [...table].flatMap(([kind, rule]) => (rule.effect === effect ? kind : []));
}

/** The entry without its content, unknown fields included: what a removal leaves of its target. */
export function redacted<E extends Entry>(entry: E): E {
  const { serverOffset, author, clientOffset, at, kind, target, subject } = entry;
  const kept = { serverOffset, author, clientOffset, at, kind, deleted: true };
  return {
    ...kept,
    ...(target === undefined ? {} : { target }),
    ...(subject === undefined ? {} : { subject }),
  } as unknown as E;
}
