/** Projects lines of the log and rows of the outbox to the messages of the screen. Pure. */
import type { Mention, MessageKey } from '../../shared/entry.ts';
import type { Line } from '../../shared/fold.ts';
import { assertNever } from '../../shared/never.ts';
import type { User } from '../../shared/protocol/index.ts';
import type { AnsweredMessage } from '../log/read/readQuotes.ts';
import {
  type Follower,
  isAmendmentRow,
  isCountedRow,
  isCreationRow,
  isRemovalRow,
  isReplacementRow,
  type Row,
} from '../records/row.ts';
import { messageKey, type ShownReaction } from '../records/storedRecords.ts';
import type { Message, MessageStatus } from './model.ts';

export interface Shown {
  lines: readonly Line[];
  /** The rows of the outbox that are shown after the lines (readSnapshot.ts). */
  waiting: readonly Row[];
  /** All amendments of the room that are queued, in order. */
  changes: readonly Follower[];
  /** Messages that others answer, by serverOffset. */
  quotes?: ReadonlyMap<number, Line> | undefined;
  /** By the key of the message. */
  reactions?: ReadonlyMap<string, ShownReaction[]> | undefined;
  me: User;
  nameOf: (user: string) => string;
  /** Up to which serverOffset all others have read. */
  readByAll?: number;
  /** Authors whose texts are not shown. */
  blocked?: readonly string[] | undefined;
}

export function messagesOf({
  lines,
  waiting,
  changes,
  quotes,
  reactions,
  me,
  nameOf,
  readByAll = 0,
  blocked,
}: Shown): Message[] {
  const last = new Map(lastChanges(changes).map((change) => [targetKey(change, me), change]));
  const shown = lines.map((line) => ofLine(line, me, nameOf, readByAll, blocked));
  const isHere = (key: string) => shown.some((message) => message.key === key);
  const end = waiting.filter((row) => !isAmendmentRow(row) || !isHere(targetKey(row, me)));
  const all = [...lines, ...end];
  return withQuotes(
    [...shown, ...end.map((row) => ofRow(row, me, nameOf))].map((unchanged, i) => {
      const change = last.get(unchanged.key);
      const message = change ? amended(unchanged, change) : unchanged;
      const its = reactions?.get(message.key);
      if (its?.[0] && message.content.tag === 'text') message.reactions = its;
      const answered = answeredBy(all[i]!);
      if (!answered || message.content.tag !== 'text') return message;
      const { author: id, clientOffset, serverOffset } = answered;
      const quoted = quotes?.get(serverOffset!);
      const content = quoted && contentOf(quoted, blocked, nameOf);
      const author = { id, name: nameOf(id) };
      return { ...message, reply: { key: messageKey(id, clientOffset), serverOffset, author, content } };
    }),
  );
}

/** The messages, in which replies to others of them quote what those show: edits and deletions that wait, too. */
export function withQuotes(messages: readonly Message[]): Message[] {
  return messages.map((message) => {
    const { reply } = message;
    const quoted = reply && messages.find(({ key }) => key === reply.key);
    if (!quoted) return message;
    const { key, serverOffset, author, content } = quoted;
    return { ...message, reply: { key, serverOffset, author, content } };
  });
}

/** The message that a line or row answers. */
export function answeredBy(one: Line | Row): AnsweredMessage | undefined {
  const isRow = 'seq' in one;
  const replyTo = isRow ? (one.fields?.replyTo as MessageKey | undefined) : one.tag === 'text' && one.replyTo;
  if (!replyTo) return undefined;
  return isRow
    ? { ...replyTo, serverOffset: one.targetOffset, by: undefined }
    : { ...replyTo, serverOffset: (one as { target?: number }).target, by: one.serverOffset };
}

export function statusOfRow({ state }: Row): MessageStatus {
  switch (state.tag) {
    case 'queued':
    case 'sending':
    case 'checking':
      return { tag: state.tag };
    case 'parked':
      return { tag: 'not-sent', reason: state.reason };
    default:
      return assertNever(state);
  }
}

function ofLine(
  line: Line,
  me: User,
  nameOf: (user: string) => string,
  readByAll: number,
  blocked: Shown['blocked'],
): Message {
  const { author, clientOffset, at } = line;
  return {
    key: messageKey(author, clientOffset),
    clientOffset,
    serverOffset: line.serverOffset,
    author: { id: author, name: nameOf(author) },
    mine: author === me.id,
    at,
    content: contentOf(line, blocked, nameOf),
    status: { tag: 'sent' },
    ...(author === me.id && line.serverOffset <= readByAll && { readByAll: true }),
    pending: 'none',
    can: author === me.id && line.tag === 'text' ? AMENDABLE : NOTHING,
  };
}

function contentOf(
  line: Line,
  blocked: Shown['blocked'],
  nameOf: (user: string) => string,
): Message['content'] {
  switch (line.tag) {
    case 'text': {
      const { body, edited, mentions } = line;
      if (blocked?.includes(line.author)) return { tag: 'blocked', body };
      return { tag: 'text', body, edited, ...mentioning(mentions, nameOf) };
    }
    case 'deleted':
      return line.by ? { tag: 'deleted', byModerator: true } : { tag: 'deleted' };
    case 'unknown':
      return { tag: 'unknown', kind: line.kind };
    case 'unreadable':
      return { tag: 'unreadable' };
    default:
      return assertNever(line);
  }
}

/** An amendment whose message is not held renders as a placeholder of that message; `amended` gives it its content. */
function ofRow(row: Row, me: User, nameOf: (user: string) => string): Message {
  const status: MessageStatus = isAmendmentRow(row) ? { tag: 'sent' } : statusOfRow(row);
  return {
    key: isAmendmentRow(row) ? targetKey(row, me) : messageKey(me.id, row.clientOffset),
    clientOffset: isAmendmentRow(row) ? row.target : row.clientOffset,
    serverOffset: undefined,
    author: { id: me.id, name: me.name },
    mine: true,
    at: row.at,
    content: contentOfRow(row, nameOf),
    status,
    pending: 'none',
    can: status.tag === 'not-sent' || row.body === undefined ? NOTHING : AMENDABLE,
  };
}

function mentioning(mentions: readonly Mention[] | undefined, nameOf: (user: string) => string) {
  return mentions && { mentions: mentions.map((one) => ({ ...one, now: nameOf(one.user) })) };
}

/** The people whom a line or row mentions. */
export function mentionsIn(one: Line | Row): readonly Mention[] {
  return (('seq' in one ? one.fields?.mentions : one.tag === 'text' && one.mentions) || []) as Mention[];
}

function contentOfRow(row: Row, nameOf = (_: string) => ''): Message['content'] {
  if (isRemovalRow(row)) return row.targetAuthor ? { tag: 'deleted', byModerator: true } : { tag: 'deleted' };
  const { kind, body, fields } = row;
  if (isCountedRow(row)) return { tag: 'reaction', of: String(fields?.emoji) };
  if (isCreationRow(row)) return { tag: 'creation', of: String(fields?.name) };
  const { mentions } = (fields ?? {}) as { mentions?: Mention[] };
  return body === undefined
    ? { tag: 'unknown', kind }
    : { tag: 'text', body, edited: false, ...mentioning(mentions, nameOf) };
}

/** The key of the message that is amended: an own one, unless the amendment names another author. */
function targetKey({ target, targetAuthor }: Follower, me: User): string {
  return messageKey(targetAuthor ?? me.id, target);
}

const AMENDABLE = { edit: true, remove: true };
export const NOTHING = { edit: false, remove: false };

/** For each target the last edit, or its deletion. */
export function lastChanges(changes: readonly Follower[]): Follower[] {
  const last = new Map<string, Follower>();
  for (const change of changes) {
    const key = messageKey(change.targetAuthor ?? '', change.target);
    const before = last.get(key);
    if (!before || !isRemovalRow(before)) last.set(key, change);
  }
  return [...last.values()];
}

/**
 * The message as it will be. Where the amendment was not sent, Try again, Edit and Delete act on the amendment, so the
 * message gets its key. But an edit of a message that was not sent itself waits for that, and they act on the message.
 */
function amended(message: Message, change: Follower): Message {
  const isEdit = isReplacementRow(change);
  const content: Message['content'] =
    isEdit && change.body !== undefined
      ? { ...message.content, tag: 'text', body: change.body, edited: true }
      : contentOfRow(change);
  if (message.status.tag === 'not-sent' && isEdit) return { ...message, content };
  const status = statusOfRow(change);
  const clientOffset = status.tag === 'not-sent' ? change.clientOffset : message.clientOffset;
  const can = status.tag === 'not-sent' || !isEdit ? NOTHING : message.can;
  return { ...message, clientOffset, status, content, pending: isEdit ? 'edit' : 'delete', can };
}
