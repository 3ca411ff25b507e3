/** What the log says and what waits in the outbox, as the messages of a screen. Pure. */
import type { Line } from '../../shared/fold.ts';
import { assertNever } from '../../shared/never.ts';
import type { User } from '../../shared/protocol/index.ts';
import type { Follower } from '../outbox/queuedChanges.ts';
import type { Row } from '../outbox/row.ts';
import type { Message, Status } from './model.ts';

export interface Shown {
  lines: readonly Line[];
  /** What of the rows that show (queue.ts) stands behind the lines. */
  waiting: readonly Row[];
  /** All that is queued to change texts of the room, in order. */
  changes: readonly Follower[];
  me: User;
  nameOf: (user: string) => string;
}

export function messagesOf({ lines, waiting, changes, me, nameOf }: Shown): Message[] {
  const last = lastChanges(changes);
  const shown = lines.map((line) => ofLine(line, me, nameOf));
  const here = new Set(shown.filter(({ mine }) => mine).map(({ clientOffset }) => clientOffset));
  const end = waiting.filter((row) => row.kind === 'text' || !here.has(row.target));
  return [...shown, ...end.map((row) => ofRow(row, me))].map((message) => {
    const change = message.mine ? last.get(message.clientOffset) : undefined;
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

/** A change stands for its text, which is not known: `changed` makes it what it says. */
function ofRow(row: Row, me: User): Message {
  const clientOffset = row.kind === 'text' ? row.clientOffset : row.target;
  const status: Status = row.kind === 'text' ? statusOf(row) : { tag: 'sent' };
  return {
    key: keyOf(me.id, clientOffset),
    clientOffset,
    serverOffset: undefined,
    author: { id: me.id, name: me.name },
    mine: true,
    at: row.at,
    content: row.kind === 'delete' ? { tag: 'deleted' } : { tag: 'text', body: row.body, edited: false },
    status,
    pending: 'none',
    can: status.tag === 'not-sent' ? NOTHING : CHANGED_BY_HAND,
  };
}

const CHANGED_BY_HAND = { edit: true, remove: true };
const NOTHING = { edit: false, remove: false };

/** The last edit of each target that waits, or its deletion. */
export function lastChanges(changes: readonly Follower[]): Map<string, Follower> {
  const last = new Map<string, Follower>();
  for (const change of changes)
    if (last.get(change.target)?.kind !== 'delete') last.set(change.target, change);
  return last;
}

/**
 * As it will be. A change that was not sent is what Try again, Edit and Delete then mean, so its key stands here; but an
 * edit of a text that was not sent itself waits for that, and they mean the text.
 */
function changed(message: Message, change: Follower): Message {
  const content: Message['content'] =
    change.kind === 'edit' ? { tag: 'text', body: change.body, edited: true } : { tag: 'deleted' };
  if (message.status.tag === 'not-sent' && change.kind === 'edit') return { ...message, content };
  const status = statusOf(change);
  const clientOffset = status.tag === 'not-sent' ? change.clientOffset : message.clientOffset;
  const can = status.tag === 'not-sent' || change.kind === 'delete' ? NOTHING : message.can;
  return { ...message, clientOffset, status, content, pending: change.kind, can };
}
