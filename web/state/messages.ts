/** What the log says and what waits in the outbox, as the messages of a screen. Pure. */
import type { Line } from '../../shared/fold.ts';
import { assertNever } from '../../shared/never.ts';
import type { User } from '../../shared/protocol/index.ts';
import type { Row } from '../outbox/row.ts';
import type { Message, Status } from './model.ts';

/** `rows` are the room's, in order; with `atEnd` those of texts stand behind the lines. */
export function messagesOf(
  lines: readonly Line[],
  rows: readonly Row[],
  me: User,
  nameOf: (user: string) => string,
  atEnd: boolean,
): Message[] {
  const waiting = atEnd ? rows.filter((row) => row.kind === 'text').map((row) => ofRow(row, me)) : [];
  const messages = [...lines.map((line) => ofLine(line, me, nameOf)), ...waiting];
  const changes = changesByTarget(rows);
  if (changes.size === 0) return messages;
  return messages.map((message) => {
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

function ofRow(row: Row & { kind: 'text' }, me: User): Message {
  const { clientOffset, at, body } = row;
  const status = statusOf(row);
  return {
    key: keyOf(me.id, clientOffset),
    clientOffset,
    serverOffset: undefined,
    author: { id: me.id, name: me.name },
    mine: true,
    at,
    content: { tag: 'text', body, edited: false },
    status,
    pending: 'none',
    can: status.tag === 'not-sent' ? NOTHING : CHANGED_BY_HAND,
  };
}

const CHANGED_BY_HAND = { edit: true, remove: true };
const NOTHING = { edit: false, remove: false };

/** The last edit of each target that waits, or its deletion. */
function changesByTarget(rows: readonly Row[]): Map<string, Row & { kind: 'edit' | 'delete' }> {
  const changes = new Map<string, Row & { kind: 'edit' | 'delete' }>();
  for (const row of rows) {
    if (row.kind !== 'text' && changes.get(row.target)?.kind !== 'delete') changes.set(row.target, row);
  }
  return changes;
}

/** As it will be. A change that was not sent is what Try again, Edit and Delete then mean, so its key stands here. */
function changed(message: Message, change: Row & { kind: 'edit' | 'delete' }): Message {
  const status = statusOf(change);
  const clientOffset = status.tag === 'not-sent' ? change.clientOffset : message.clientOffset;
  const content: Message['content'] =
    change.kind === 'edit' ? { tag: 'text', body: change.body, edited: true } : { tag: 'deleted' };
  const can = status.tag === 'not-sent' || change.kind === 'delete' ? NOTHING : message.can;
  return { ...message, clientOffset, status, content, pending: change.kind, can };
}
