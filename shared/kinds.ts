/**
 * The table of kinds: what an entry of each kind is and does. Server and page read this table; their code names no kinds.
 * The schemas of items are in protocol/items.ts, so that the first paint does not load them.
 */
import { DIRECT, pairOf } from './directPair.ts';
import type { Amendment, Entry, KnownEntry, Mention, MessageKey } from './entry.ts';

export interface KindRule {
  /** Who may append it: a member by `append`, or only the server (then an item of this kind is `invalid`). */
  by: 'member' | 'server';
  /** True: it is shown as a message and counts as unread. */
  message: boolean;
  /**
   * Which messages of the room its `target` may name: none, only the author's own, or any. `reply`: any message, by `replyTo`;
   * where the log has no such message, the entry is stored without a target.
   */
  target: 'none' | 'own' | 'any' | 'reply';
  /**
   * What it does to its target. `replace`: replaces the content; the greatest serverOffset wins. `remove`: the target and all
   * its replacements lose their content for good. `aggregate`: the
   * server counts it with others of its kind, by its field `emoji`; pages do not count. `on: false` takes it back.
   */
  effect: 'none' | 'replace' | 'remove' | 'aggregate';
  /** It makes its subject a member of the room, or ends that. */
  membership?: 'joined' | 'left';
  /**
   * It gives its subject the role in its field `role`; or bans the subject from the room, or lifts that; or it changes something
   * of the room itself (aboutRoom.ts). An entry that does so has no deleted message as its target.
   */
  sets?: 'role' | 'ban' | 'unban' | 'about';
  /** It is shown as a quiet line of its own, and is no message. */
  notice?: true;
  /** The role that its author must have in the room, at least. Absent: any. */
  role?: 'moderator';
  /** The feature that a server must list before a client may send this kind. Absent: every server accepts it. */
  feature?: string;
}

/** Of the kinds that members append. */
const byMember = (
  target: KindRule['target'],
  effect: KindRule['effect'] = 'none',
  rest?: Partial<KindRule>,
): KindRule => ({ by: 'member', message: false, target, effect, ...rest });

/** Of the kinds that only the server writes. */
const byServer = (rest: Partial<KindRule>): KindRule => byMember('none', 'none', { by: 'server', ...rest });

const TABLE: ReadonlyMap<string, KindRule> = new Map<string, KindRule>([
  ['text', byMember('reply', 'none', { message: true })],
  ['edit', byMember('own', 'replace')],
  ['delete', byMember('own', 'remove')],
  ['reaction', byMember('any', 'aggregate', { feature: 'reactions' })],
  ['takedown', byMember('any', 'remove', { role: 'moderator', feature: 'takedown' })],
  ['create', byMember('none', 'none', { membership: 'joined', sets: 'about', feature: 'create' })],
  ['join', byServer({ membership: 'joined' })],
  ['leave', byServer({ membership: 'left' })],
  ['role', byServer({ sets: 'role', notice: true })],
  ['removal', byServer({ membership: 'left', notice: true })],
  ['ban', byServer({ membership: 'left', sets: 'ban', notice: true })],
  ['unban', byServer({ sets: 'unban', notice: true })],
  ['about', byServer({ sets: 'about', notice: true })],
  ['pin', byServer({ sets: 'about', notice: true, target: 'any' })],
]);

let table = TABLE;

/** The current table. */
export function kinds(): ReadonlyMap<string, KindRule> {
  return table;
}

/** Replaces the table: in a worker thread, by the main thread's, and in tests. Undefined restores the built-in one. */
export function useKinds(kinds: ReadonlyMap<string, KindRule> | undefined): void {
  table = kinds ?? TABLE;
}

/** True for the kinds of version 0.1. A process of that version can share a MongoDB with this one while there are no others. */
export function isFirstKind(kind: string): boolean {
  return FIRST_KINDS.has(kind);
}

const FIRST_KINDS: ReadonlySet<string> = new Set(['text', 'edit', 'delete', 'join', 'leave']);

/** Undefined for a kind that this version does not know. */
export function ruleOf(kind: string): KindRule | undefined {
  return table.get(kind);
}

/** Type guard for the entries whose fields have a type here. */
export function isKnown(entry: Entry): entry is KnownEntry {
  return isFirstKind(entry.kind) && entry.unreadable === undefined;
}

/** True if it is shown as a message. Of unknown kinds, those without a target are, as "unknown". */
export function isMessage(entry: Pick<Entry, 'kind' | 'target'>): boolean {
  return ruleOf(entry.kind)?.message ?? entry.target === undefined;
}

/** True if it replaces or removes the content of its target. */
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

/** True if the amendment may change that target: it has the same author, or its kind may amend any message. */
export function mayAmend(amendment: Pick<Entry, 'kind' | 'author'>, target: Pick<Entry, 'author'>): boolean {
  return ruleOf(amendment.kind)?.target === 'any' || amendment.author === target.author;
}

/** The user whom an entry concerns: its `subject`, else its author. */
export function subjectOf(entry: Pick<Entry, 'author' | 'subject'>): string {
  return entry.subject ?? entry.author;
}

export function membershipOf(entry: Pick<Entry, 'kind'>): KindRule['membership'] {
  return ruleOf(entry.kind)?.membership;
}

/**
 * True if it is the first entry of its room, and makes that: by its fields `roomKind` and `name`, with its author as creator and
 * first member. No other kind that members append makes a member.
 */
export function makesRoom(kind: string): boolean {
  const rule = ruleOf(kind);
  return rule?.by === 'member' && rule.membership === 'joined';
}

/** True if it is shown as a quiet line of its own. */
export function isNotice(entry: Pick<Entry, 'kind'>): boolean {
  return ruleOf(entry.kind)?.notice === true;
}

/** True if it changes what the store keeps of other entries or of members. */
export function hasSideEffects(kind: string): boolean {
  const rule = ruleOf(kind);
  return rule?.effect === 'remove' || rule?.membership !== undefined || rule?.sets !== undefined;
}

/** The features that a server lists if it accepts all kinds of the table, replies, mentions, and direct conversations. */
export function featuresOf(kinds: ReadonlyMap<string, KindRule>): string[] {
  return [
    ...new Set([REPLIES, MENTIONS, DIRECT, ...[...kinds.values()].flatMap(({ feature }) => feature ?? [])]),
  ];
}

/** The feature that a server must list before a client may send this item. */
export function featureFor(kind: string, fields: object | undefined, room: string): string | undefined {
  const feature = ruleOf(kind)?.feature ?? featureOfFields(fields ?? {});
  return pairOf(room) && BEFORE_DIRECT.has(feature) ? DIRECT : feature;
}

export const REPLIES = 'replies';
/** A server with direct conversations has these, too; one with any other feature has direct conversations. */
const BEFORE_DIRECT: ReadonlySet<string | undefined> = new Set([undefined, REPLIES, 'reactions']);

function featureOfFields(fields: object): string | undefined {
  return 'mentions' in fields ? MENTIONS : 'replyTo' in fields ? REPLIES : undefined;
}

export const MENTIONS = 'mentions';

/** The people whom an entry mentions. Deleted, it mentions nobody. */
export function mentionsOf(entry: Entry): readonly Mention[] {
  return (isKnown(entry) && entry.kind === 'text' && !entry.deleted && entry.mentions) || [];
}

/** The entry is unread news for this user by itself: somebody else mentions them. */
export function isMentioned(entry: Entry, user: string): boolean {
  return entry.author !== user && mentionsOf(entry).some((one) => one.user === user);
}

/** The key of the message that this one replies to. */
export function replyToOf(entry: Entry): MessageKey | undefined {
  return isKnown(entry) && entry.kind === 'text' ? entry.replyTo : undefined;
}

/** The serverOffset of the message that this entry is counted for, with others of its kind. */
export function countedFor(entry: Pick<Entry, 'kind' | 'target'>): number | undefined {
  return ruleOf(entry.kind)?.effect === 'aggregate' ? entry.target : undefined;
}

/** The serverOffset of the message that this one replies to; undefined where it is no reply, or its message is not in the log. */
export function repliedTo(entry: Entry): number | undefined {
  return ruleOf(entry.kind)?.target === 'reply' && !entry.deleted ? entry.target : undefined;
}

/** The kinds with this effect, for queries. */
export function kindsThat(effect: KindRule['effect']): string[] {
  return [...table].flatMap(([kind, rule]) => (rule.effect === effect ? kind : []));
}

/** The kinds that end a membership, for queries. */
export function leavingKinds(): string[] {
  return [...table].flatMap(([kind, rule]) => (rule.membership === 'left' ? kind : []));
}

/** The kinds by which somebody else ends a membership. */
export function expellingKinds(): string[] {
  return [...table].flatMap(([kind, rule]) => (rule.membership === 'left' && rule.notice ? kind : []));
}

/** The tombstone that a removal leaves of its target: the entry without its content and without unknown fields. */
export function redacted<E extends Entry>(entry: E): E {
  const { serverOffset, author, clientOffset, at, kind, target, subject } = entry;
  const kept = { serverOffset, author, clientOffset, at, kind, deleted: true };
  return {
    ...kept,
    ...(target === undefined ? {} : { target }),
    ...(subject === undefined ? {} : { subject }),
  } as unknown as E;
}
