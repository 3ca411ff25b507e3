/** What the log says and what waits in the outbox, as the messages of a screen. Pure. */
import type { Line } from '../../shared/fold.ts';
import { assertNever } from '../../shared/never.ts';
import type { User } from '../../shared/protocol/index.ts';
import type { Row } from '../outbox/row.ts';
import type { Message, Status } from './model.ts';

export interface Shown {
  lines: readonly Line[];
  /** The room's, in order. */
  rows: readonly Row[];
  /** Keys of the texts that rows change and that are held, among the lines or not. */
  heldTargets: ReadonlySet<string>;
  me: User;
  nameOf: (user: string) => string;
  /** What waits stands behind the lines; the newest so many. */
  atEnd: boolean;
  limit: number;
}

/** Nothing of one's own is missing: a change whose text stands nowhere here is a message of its own at the end (O3, O4). */
export function messagesOf({ lines, rows, heldTargets, me, nameOf, atEnd, limit }: Shown): Message[] {
  const changes = changesByTarget(rows);
  const shown = lines.map((line) => ofLine(line, me, nameOf));
  const here = new Set(shown.filter(({ mine }) => mine).map(({ clientOffset }) => clientOffset));
  for (const row of rows) if (row.kind === 'text') here.add(row.clientOffset);
  const isOrphan = (row: Change) => {
    if (here.has(row.target) || changes.get(row.target) !== row) return false;
    return row.state.tag === 'parked' || (row.kind === 'edit' && !heldTargets.has(row.target));
  };
  const waiting = rows.filter((row) => row.kind === 'text' || isOrphan(row));
  const end = atEnd ? waiting.slice(-limit).map((row) => ofRow(row, me)) : [];
  return [...shown, ...end].map((message) => {
    const change = message.mine ? changes.get(message.clientOffset) : undefined;
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

type Change = Row & { kind: 'edit' | 'delete' };

/** The last edit of each target that waits, or its deletion. */
function changesByTarget(rows: readonly Row[]): Map<string, Change> {
  const changes = new Map<string, Change>();
  for (const row of rows) {
    if (row.kind !== 'text' && changes.get(row.target)?.kind !== 'delete') changes.set(row.target, row);
  }
  return changes;
}

/**
 * As it will be. A change that was not sent is what Try again, Edit and Delete then mean, so its key stands here; but an
 * edit of a text that was not sent itself waits for that, and they mean the text.
 */
function changed(message: Message, change: Change): Message {
  const content: Message['content'] =
    change.kind === 'edit' ? { tag: 'text', body: change.body, edited: true } : { tag: 'deleted' };
  if (message.status.tag === 'not-sent' && change.kind === 'edit') return { ...message, content };
  const status = statusOf(change);
  const clientOffset = status.tag === 'not-sent' ? change.clientOffset : message.clientOffset;
  const can = status.tag === 'not-sent' || change.kind === 'delete' ? NOTHING : message.can;
  return { ...message, clientOffset, status, content, pending: change.kind, can };
}
