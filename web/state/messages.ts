/** What the log says and what waits in the outbox, as the messages of a screen. Pure. */
import type { Line } from '../../shared/fold.ts';
import { assertNever } from '../../shared/never.ts';
import type { User } from '../../shared/protocol/index.ts';
import { type Follower, isChange, isRemovalRow, isReplacementRow, type Row } from '../outbox/row.ts';
import type { Message, Status } from './model.ts';

export interface Shown {
  lines: readonly Line[];
  /** What of the rows that show (queue.ts) stands behind the lines. */
  waiting: readonly Row[];
  /** All that is queued to change messages of the room, in order. */
  changes: readonly Follower[];
  me: User;
  nameOf: (user: string) => string;
}

export function messagesOf({ lines, waiting, changes, me, nameOf }: Shown): Message[] {
  const last = new Map(lastChanges(changes).map((change) => [targetKey(change, me), change]));
  const shown = lines.map((line) => ofLine(line, me, nameOf));
  const here = new Set(shown.map(({ key }) => key));
  const end = waiting.filter((row) => !isChange(row) || !here.has(targetKey(row, me)));
  return [...shown, ...end.map((row) => ofRow(row, me))].map((message) => {
    const change = last.get(message.key);
    return change ? changed(message, change) : message;
  });
}

/** The same through queued → sent. */
export function keyOf(author: string, clientOffset: string): string {
  return `${author} ${clientOffset}`;
}

export function statusOf({ state }: Row): Status {
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

function ofLine(line: Line, me: User, nameOf: (user: string) => string): Message {
  const { author, clientOffset, at } = line;
  return {
    key: keyOf(author, clientOffset),
    clientOffset,
    serverOffset: line.serverOffset,
    author: { id: author, name: nameOf(author) },
    mine: author === me.id,
    at,
    content: contentOf(line),
    status: { tag: 'sent' },
    pending: 'none',
    can: author === me.id && line.tag === 'text' ? CHANGED_BY_HAND : NOTHING,
  };
}

function contentOf(line: Line): Message['content'] {
  switch (line.tag) {
    case 'text':
      return { tag: 'text', body: line.body, edited: line.edited };
    case 'deleted':
      return { tag: 'deleted' };
    case 'unknown':
      return { tag: 'unknown', kind: line.kind };
    case 'unreadable':
      return { tag: 'unreadable' };
    default:
      return assertNever(line);
  }
}

/** A change stands for its message, which is not known: `changed` makes it what it says. */
function ofRow(row: Row, me: User): Message {
  const status: Status = isChange(row) ? { tag: 'sent' } : statusOf(row);
  return {
    key: isChange(row) ? targetKey(row, me) : keyOf(me.id, row.clientOffset),
    clientOffset: isChange(row) ? row.target : row.clientOffset,
    serverOffset: undefined,
    author: { id: me.id, name: me.name },
    mine: true,
    at: row.at,
    content: contentOfRow(row),
    status,
    pending: 'none',
    can: status.tag === 'not-sent' || row.body === undefined ? NOTHING : CHANGED_BY_HAND,
  };
}

function contentOfRow(row: Row): Message['content'] {
  if (isRemovalRow(row)) return { tag: 'deleted' };
  const { kind, body } = row;
  return body === undefined ? { tag: 'unknown', kind } : { tag: 'text', body, edited: false };
}

/** Of the message that it changes: one's own, unless it says whose it is. */
function targetKey({ target, targetAuthor }: Follower, me: User): string {
  return keyOf(targetAuthor ?? me.id, target);
}

const CHANGED_BY_HAND = { edit: true, remove: true };
const NOTHING = { edit: false, remove: false };

/** The last replacement of each target that waits, or its removal. */
export function lastChanges(changes: readonly Follower[]): Follower[] {
  const last = new Map<string, Follower>();
  for (const change of changes) {
    const key = keyOf(change.targetAuthor ?? '', change.target);
    const before = last.get(key);
    if (!before || !isRemovalRow(before)) last.set(key, change);
  }
  return [...last.values()];
}

/**
 * As it will be. A change that was not sent is what Try again, Edit and Delete then mean, so its key stands here; but a
 * replacement of a message that was not sent itself waits for that, and they mean the message.
 */
function changed(message: Message, change: Follower): Message {
  const isEdit = isReplacementRow(change);
  const content: Message['content'] =
    isEdit && change.body !== undefined
      ? { tag: 'text', body: change.body, edited: true }
      : contentOfRow(change);
  if (message.status.tag === 'not-sent' && isEdit) return { ...message, content };
  const status = statusOf(change);
  const clientOffset = status.tag === 'not-sent' ? change.clientOffset : message.clientOffset;
  const can = status.tag === 'not-sent' || !isEdit ? NOTHING : message.can;
  return { ...message, clientOffset, status, content, pending: isEdit ? 'edit' : 'delete', can };
}
