/**
 * What the log needs after the first paint: the menu and sheets of a message, announcements for screen readers, and the read
 * marker.
 */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { assertNever } from '../../../shared/never.ts';
import { t } from '../../i18n/index.ts';
import type { Readable } from '../../records/cell.ts';
import { SEEN_AFTER_MS } from '../../records/pageLimits.ts';
import type { ConversationState, Message } from '../../state/model.ts';
import { useReadable, useWorld } from '../parts/world.ts';
import { NotSentSheet, RemoveSheet, StatusSheet } from '../sheet/MessageSheets.tsx';
import { MessageMenu } from './MessageMenu.tsx';
import { lastInView, type Point, useLogInput } from './useLogInput.ts';

/** The message whose menu or sheet is open, and which of them. */
export type OpenMessage =
  | { tag: 'menu'; key: string; at: Point }
  | { tag: 'status'; key: string }
  | { tag: 'remove'; key: string };

export interface AroundLogProps {
  room: string;
  log: RefObject<HTMLElement | null>;
  conversation: Readable<ConversationState>;
  open: OpenMessage | undefined;
  onOpen(open: OpenMessage | undefined): void;
  onEdit(message: Message): void;
}

export function AroundLog({ room, log, conversation, open, onOpen, onEdit }: AroundLogProps) {
  const state = useReadable(conversation);
  useMarkAsRead(room, log, state);
  useLogInput(log, (key, at) => onOpen({ tag: 'menu', key, at }));
  const message = state.messages.find(({ key }) => key === open?.key);
  useLayoutEffect(() => {
    if (open && !message) onOpen(undefined); // the message has left the window of the log
  }, [open, !message]);
  return (
    <>
      <Announcer state={state} />
      {open && message && (
        <MenuOrSheet
          key={open.key}
          room={room}
          open={open}
          message={message}
          onOpen={onOpen}
          onEdit={onEdit}
        />
      )}
    </>
  );
}

/** Reports the read marker of the room: the newest entry that was in view for SEEN_AFTER_MS on a visible page. */
function useMarkAsRead(room: string, log: RefObject<HTMLElement | null>, state: ConversationState): void {
  const { client } = useWorld();
  const latest = useRef(state);
  latest.current = state;
  const reportLater = useRef(() => {});

  useEffect(() => {
    const element = log.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let reported = 0;
    const report = () => {
      const upTo = document.visibilityState === 'visible' ? seenUpTo(element, latest.current) : 0;
      if (upTo <= reported) return;
      reported = upTo;
      client.seen(room, upTo);
    };
    reportLater.current = () => {
      clearTimeout(timer);
      timer = setTimeout(report, SEEN_AFTER_MS);
    };
    const ends = new AbortController();
    element.addEventListener('scroll', reportLater.current, { passive: true, signal: ends.signal });
    document.addEventListener('visibilitychange', reportLater.current, { signal: ends.signal });
    return () => {
      ends.abort();
      clearTimeout(timer);
    };
  }, [client, room]);

  useEffect(() => reportLater.current(), [state]);
}

/** The serverOffset of the newest entry in view or above the view; 0 if there is none. */
function seenUpTo(log: HTMLElement, { messages }: ConversationState): number {
  const rows = [...log.querySelectorAll<HTMLElement>('[data-key]')];
  const shown = messages.slice(
    0,
    messages.findIndex(({ key }) => key === rows[lastInView(log, rows)]?.dataset.key) + 1,
  );
  return Math.max(0, ...shown.map(({ serverOffset }) => serverOffset ?? 0));
}

/** Reads out new messages of others to screen readers, only while the window is at the newest message. */
function Announcer({ state }: { state: ConversationState }) {
  const [said, setSaid] = useState({ text: '', turn: 0 });
  const upTo = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (state.loading || !state.atNewest) return;
    const newest = Math.max(0, ...state.messages.map(({ serverOffset }) => serverOffset ?? 0));
    const before = upTo.current ?? newest; // messages that are there when the room is opened are not new
    upTo.current = Math.max(before, newest);
    const news = state.messages.filter(({ mine, serverOffset }) => !mine && (serverOffset ?? 0) > before);
    const lines = news.flatMap(({ author, content }) =>
      content.tag === 'text' ? t.rooms.line(author.name, content.body) : [],
    );
    const text = lines.slice(-READ_OUT_MAX).join('\n');
    if (text !== '') setSaid(({ turn }) => ({ text, turn: turn + 1 }));
  }, [state]);
  return (
    <p class="visually-hidden" role="status">
      <span key={said.turn}>{said.text}</span>{' '}
      {/* a new element, so that the same text twice is read out twice */}
    </p>
  );
}

/** Of more messages at once, only the newest ones are read out. */
const READ_OUT_MAX = 3;

interface MenuOrSheetProps {
  room: string;
  open: OpenMessage;
  message: Message;
  onOpen(open: OpenMessage | undefined): void;
  onEdit(message: Message): void;
}

function MenuOrSheet({ room, open, message, onOpen, onEdit }: MenuOrSheetProps) {
  const { key } = message;
  const close = () => onOpen(undefined);
  useCloseWhenChanged(message, close);
  const edit = () => {
    onEdit(message);
    close();
  };
  const copyIt = () => {
    copy(message);
    close();
  };
  const remove = () => onOpen({ tag: 'remove', key });
  if (message.status.tag === 'not-sent' && open.tag !== 'remove')
    return <NotSentSheet message={message} onClose={close} onEdit={edit} onCopy={copyIt} />;
  switch (open.tag) {
    case 'menu':
      return (
        <MessageMenu
          message={message}
          at={open.at}
          onClose={close}
          onEdit={edit}
          onRemove={remove}
          onCopy={copyIt}
          onDetails={() => onOpen({ tag: 'status', key })}
        />
      );
    case 'status':
      return (
        <StatusSheet message={message} onClose={close} onEdit={edit} onRemove={remove} onCopy={copyIt} />
      );
    case 'remove':
      return <RemoveSheet room={room} message={message} onClose={close} />;
    default:
      return assertNever(open);
  }
}

/** Closes the menu or sheet when its actions no longer apply: the message was deleted elsewhere, or was sent after all. */
function useCloseWhenChanged({ content, status }: Message, close: () => void): void {
  const kind = `${content.tag} ${status.tag === 'not-sent'}`;
  const first = useRef(kind);
  useLayoutEffect(() => {
    if (kind !== first.current) close();
  }, [kind]);
}

/** Over plain HTTP from another machine there is no `navigator.clipboard`; there `execCommand` copies. */
function copy({ content }: Message): void {
  if (content.tag !== 'text') return;
  const { body } = content;
  const copyByCommand = () => {
    const field = document.createElement('textarea');
    field.value = body;
    (document.querySelector('dialog[open]') ?? document.body).append(field); // a modal dialog makes all else inert
    field.select();
    document.execCommand('copy');
    field.remove();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(body).catch(copyByCommand);
  else copyByCommand();
}
