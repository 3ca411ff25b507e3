/**
 * What the log needs after the first paint: the menu and sheets of a message, announcements for screen readers, and the read
 * marker.
 */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { assertNever } from '../../../shared/never.ts';
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Cell, Readable } from '../../records/cell.ts';
import { SEEN_AFTER_MS } from '../../records/pageLimits.ts';
import type { ConversationState, Message, ReplyTarget } from '../../state/model.ts';
import { isAttended } from '../parts/attention.ts';
import { newestOf } from '../parts/newestOf.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useReadable, useSignedIn, useWorld } from '../parts/world.ts';
import { NotSentSheet, RemoveSheet, StatusSheet } from '../sheet/MessageSheets.tsx';
import { ReactSheet } from '../sheet/Reactions.tsx';
import { ReportSheet } from '../sheet/ReportSheet.tsx';
import type { OpenSheet } from '../sheet/Sheets.tsx';
import { UnmadeRoomSheet } from '../sheet/UnmadeRoomSheet.tsx';
import { useCopyMessages } from './copyMessages.ts';
import { MentionJump } from './MentionJump.tsx';
import { MessageMenu } from './MessageMenu.tsx';
import { useLoading } from './useLoading.ts';
import { lastInView, type Point, useLogInput } from './useLogInput.ts';
import { LinkMissing, linkTo, useMessageLinks } from './useMessageLinks.tsx';
import { BackToReply, useQuotes } from './useQuotes.tsx';
import { useReactions } from './useReactions.tsx';
import { useSavedReply } from './useSavedReply.ts';

/** The message whose menu or sheet is open, and which of them. */
export type OpenMessage =
  | { tag: 'menu'; key: string; at: Point }
  | { tag: 'status'; key: string }
  | { tag: 'react'; key: string }
  | { tag: 'remove'; key: string }
  | { tag: 'report'; key: string };

export interface AroundLogProps {
  onSheet(sheet: OpenSheet): void;
  room: string;
  log: RefObject<HTMLElement | null>;
  conversation: Readable<ConversationState>;
  /** The newest entry that the person has seen. */
  seen: RefObject<number>;
  open: OpenMessage | undefined;
  onOpen(open: OpenMessage | undefined): void;
  onEdit(message: Message): void;
  /** The message that the next one answers. */
  replying: Cell<ReplyTarget | undefined>;
  /** Nothing can be written. */
  isClosed: boolean;
}

export function AroundLog(props: AroundLogProps) {
  const { client } = useWorld();
  const { room, log, conversation, seen, open, onOpen, onEdit, onSheet, replying, isClosed } = props;
  const hasLeft = useSignedIn(({ rooms }) => rooms.find(({ id }) => id === room)?.member === false);
  const state = useReadable(conversation);
  useMarkAsRead(room, log, state, seen);
  useLoading(room, log, state);
  useCopyMessages(log, state.messages);
  useReactions(room, log, state.messages, hasLeft);
  const quoteJump = useQuotes(room, log, state.messages);
  const isLinkMissing = useMessageLinks(room, log);
  const mayRemoveAny = useIsModerator(room, state);
  useSavedReply(room, replying);
  useLogInput(log, (key, at) => onOpen({ tag: 'menu', key, at }));
  const found = state.messages.find(({ key }) => key === open?.key);
  const pinned = useSignedIn(({ rooms }) => rooms.find(({ id }) => id === room)?.about?.pinned);
  const pin = useAsyncAction();
  const message = found && isClosed && !hasLeft ? { ...found, can: { ...found.can, edit: false } } : found;
  useLayoutEffect(() => {
    if (open && !message) onOpen(undefined); // the message has left the window of the log
  }, [open, !message]);
  return (
    <>
      <Announcer state={state} />
      <MentionJump room={room} />
      <BackToReply jump={quoteJump} />
      {isLinkMissing && <LinkMissing />}
      {pin.reason && (
        <div class="jump" role="status">
          <p class="line">{sentence(pin.reason, sheetTexts().pinned.reasons)}</p>
        </div>
      )}
      {open && message && (
        <MenuOrSheet
          key={open.key}
          room={room}
          open={open}
          message={message}
          onOpen={onOpen}
          onEdit={onEdit}
          onSheet={onSheet}
          onReply={isClosed ? undefined : replying.set}
          mayReact={!hasLeft}
          isPinned={pinned !== undefined && message.serverOffset === pinned}
          onPin={(on) => pin.run(() => client.ask('pinMessage', room, keyOf(message), on))}
          mayRemoveAny={mayRemoveAny && !hasLeft}
        />
      )}
    </>
  );
}

/**
 * Whether the person is a moderator of the room: what this device knows, also without a connection. The server is asked when the
 * room is opened, and again when a notice comes, which may be about a role; its answer is stored.
 */
function useIsModerator(room: string, { memberships }: ConversationState): boolean {
  const { client } = useWorld();
  const isLive = useSignedIn(({ connection, rooms }) => {
    const kind = rooms.find(({ id }) => id === room)?.kind;
    return connection.tag === 'live' && kind !== undefined && kind !== 'direct';
  });
  const lastNotice = memberships.findLast(({ people }) => people && 'kind' in people)?.to;
  useEffect(() => {
    if (isLive) client.ask('roles', room).catch(() => {}); // what was known stays
  }, [client, room, isLive, lastNotice]);
  return useSignedIn(({ rooms }) => rooms.find(({ id }) => id === room)?.role !== undefined);
}

/**
 * Reports the read marker of the room: the newest entry whose lower edge was in view SEEN_AFTER_MS ago, on a page that was
 * visible and had the focus all the while. At most one report in SEEN_AFTER_MS.
 */
function useMarkAsRead(
  room: string,
  log: RefObject<HTMLElement | null>,
  state: ConversationState,
  seen: RefObject<number>,
): void {
  const { client } = useWorld();
  const latest = useRef(state);
  latest.current = state;
  const look = useRef(() => {});

  useEffect(() => {
    const element = log.current!;
    let cancel: (() => void) | undefined; // of the next report
    let reported = 0;
    let hasMoved = false;
    look.current = () => {
      hasMoved = true;
      // An effect ends after the next frame: without a place in the document, every line would be in view.
      if (cancel || !isAttended() || !element.isConnected) return;
      hasMoved = false;
      if (newestOf(latest.current.messages) <= reported) return; // nothing to report: to measure would be a layout
      const upTo = seenUpTo(element, latest.current, seen.current);
      cancel = whenIdleAfter(SEEN_AFTER_MS, () => {
        cancel = undefined;
        if (upTo > reported) {
          seen.current = Math.max(seen.current, upTo);
          if (client.seen(room, upTo)) reported = upTo;
          else hasMoved = true;
        }
        if (hasMoved) look.current();
      });
    };
    const lookAgain = () => {
      cancel?.();
      cancel = undefined;
      look.current();
    };
    const ends = new AbortController();
    const { signal } = ends;
    element.addEventListener('scroll', look.current, { passive: true, signal });
    document.addEventListener('visibilitychange', lookAgain, { signal });
    for (const event of ['focus', 'blur']) window.addEventListener(event, lookAgain, { signal });
    return () => {
      ends.abort();
      cancel?.();
    };
  }, [client, room]);

  useEffect(() => look.current(), [state]);
}

/**
 * Runs it after this time, when nothing else is to be done, at the latest after twice the time: a read marker that is measured
 * and stored between a tap and its frame would delay that. Where the browser does not tell (Safari), after the time. Returns
 * what cancels it.
 */
function whenIdleAfter(ms: number, run: () => void): () => void {
  let idle: number | undefined;
  const timer = setTimeout(() => {
    if ('requestIdleCallback' in window) idle = requestIdleCallback(run, { timeout: ms });
    else run();
  }, ms);
  return () => {
    clearTimeout(timer);
    if (idle !== undefined) cancelIdleCallback(idle);
  };
}

/**
 * The serverOffset of the newest entry in view or above the view; 0 if there is none. Not beyond a gap that may hold unread
 * messages, unless the person has passed over it.
 */
function seenUpTo(log: HTMLElement, { messages, gaps, readUpTo }: ConversationState, seen: number): number {
  const rows = [...log.querySelectorAll<HTMLElement>('[data-key]')];
  const shown = rows[lastInView(log, rows)]?.dataset.key;
  const last = messages.findIndex(({ key }) => key === shown);
  const end = gaps.find(({ to }) => to > Math.max(seen, readUpTo))?.from ?? Number.POSITIVE_INFINITY;
  const offsets = messages.slice(0, last + 1).map(({ serverOffset }) => serverOffset ?? 0);
  return Math.max(0, ...offsets.filter((offset) => offset < end));
}

/** Reads out new messages of others to screen readers, only while the window is at the newest message. */
function Announcer({ state }: { state: ConversationState }) {
  const [said, setSaid] = useState<{ news: readonly Message[]; turn: number }>({ news: [], turn: 0 });
  const upTo = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (said.news.some((message) => isOutdated(message, state.messages)))
      setSaid(({ turn }) => ({ news: [], turn: turn + 1 }));
  }, [state, said]);
  useEffect(() => {
    if (state.loading || !state.atNewest) return;
    const newest = newestOf(state.messages);
    const before = upTo.current ?? newest; // messages that are there when the room is opened are not new
    upTo.current = Math.max(before, newest);
    const news = state.messages.filter(
      ({ mine, serverOffset, content }) =>
        !mine && (serverOffset ?? 0) > before && content.tag === 'text' && content.body !== '',
    );
    if (news.length > 0) setSaid(({ turn }) => ({ news: news.slice(-READ_OUT_MAX), turn: turn + 1 }));
  }, [state]);
  const lines = said.news.map(({ author, content }) =>
    content.tag === 'text' ? author.name + t.rooms.says + content.body : '',
  );
  return (
    <p class="visually-hidden" role="status">
      <span key={said.turn}>{lines.join('\n')}</span>{' '}
      {/* a new element, so that the same text twice is read out twice */}
    </p>
  );
}

/** It was edited or deleted since, or is not in the window any more: what a message was is nowhere in the page (S3). */
function isOutdated({ key, content }: Message, messages: readonly Message[]): boolean {
  const now = messages.find((message) => message.key === key)?.content;
  return now?.tag !== 'text' || content.tag !== 'text' || now.body !== content.body;
}

/** Of more messages at once, only the newest ones are read out. */
const READ_OUT_MAX = 3;

interface MenuOrSheetProps {
  room: string;
  open: OpenMessage;
  message: Message;
  onOpen(open: OpenMessage | undefined): void;
  onEdit(message: Message): void;
  onReply: ((to: ReplyTarget) => void) | undefined;
  mayReact: boolean;
  isPinned: boolean;
  onPin(on: boolean): void;
  onSheet: AroundLogProps['onSheet'];
  /** The person is a moderator of the room. */
  mayRemoveAny: boolean;
}

function MenuOrSheet(props: MenuOrSheetProps) {
  const { room, open, message, onOpen, onEdit, onReply, onSheet, mayRemoveAny } = props;
  const { key } = message;
  const { client } = useWorld();
  const close = () => onOpen(undefined);
  useCloseWhenChanged(message, close);
  const edit = () => {
    onEdit(message);
    close();
  };
  const copyIt = () => {
    if (message.content.tag === 'text') copy(message.content.body);
    close();
  };
  const { serverOffset } = message;
  const copyLink =
    serverOffset === undefined
      ? undefined
      : () => {
          copy(linkTo(room, serverOffset));
          close();
        };
  const reply =
    onReply &&
    (() => {
      close(); // first: closing returns the focus, which then goes to the composer
      const { author, clientOffset, serverOffset } = message;
      onReply({ author, clientOffset, serverOffset });
    });
  const remove = () => onOpen({ tag: 'remove', key });
  const { can, mine, content, status } = message;
  const mayRemove =
    can.remove || (mayRemoveAny && !mine && content.tag !== 'deleted' && status.tag === 'sent');
  const mayReact = props.mayReact && message.content.tag === 'text';
  const reactWith = (emoji: string) => {
    close();
    const isMine = message.reactions?.some((one) => one.mine && one.emoji === emoji) === true;
    void client.react(room, message, emoji, !isMine);
  };
  const isReportable =
    !mine && serverOffset !== undefined && (content.tag === 'text' || content.tag === 'blocked');
  const report = isReportable ? () => onOpen({ tag: 'report', key }) : undefined;
  const isPinnable = mayRemoveAny && content.tag === 'text' && status.tag === 'sent';
  const { isPinned } = props;
  const pin = isPinnable
    ? () => {
        close();
        props.onPin(!isPinned);
      }
    : undefined;
  const reactWithAny = () => onOpen({ tag: 'react', key });
  if (content.tag === 'creation') return <UnmadeRoomSheet room={room} message={message} onClose={close} />;
  if (message.status.tag === 'not-sent' && open.tag !== 'remove')
    return <NotSentSheet message={message} onClose={close} onEdit={edit} onCopy={copyIt} />;
  switch (open.tag) {
    case 'menu':
      return (
        <MessageMenu
          message={message}
          at={open.at}
          onClose={close}
          onReply={reply}
          onReact={mayReact ? (emoji) => (emoji ? reactWith(emoji) : reactWithAny()) : undefined}
          onEdit={edit}
          onRemove={remove}
          mayRemove={mayRemove}
          onCopy={copyIt}
          onCopyLink={copyLink}
          onDetails={() => onOpen({ tag: 'status', key })}
          onPin={pin}
          isPinned={isPinned}
          onReport={report}
        />
      );
    case 'status':
      return (
        <StatusSheet
          room={room}
          message={message}
          onClose={close}
          onReact={mayReact ? reactWithAny : undefined}
          onEdit={edit}
          onRemove={remove}
          mayRemove={mayRemove}
          onCopy={copyIt}
          onCopyLink={copyLink}
          onPerson={() => {
            close();
            onSheet({ tag: 'profile', person: message.author });
          }}
          onPin={pin}
          isPinned={isPinned}
          onReport={report}
        />
      );
    case 'react':
      return <ReactSheet room={room} message={message} onClose={close} />;
    case 'remove':
      return <RemoveSheet room={room} message={message} onClose={close} />;
    case 'report':
      return serverOffset === undefined ? null : (
        <ReportSheet what={{ room, message: serverOffset }} onClose={close} />
      );
    default:
      return assertNever(open);
  }
}

function keyOf({ author, clientOffset }: Message) {
  return { author: author.id, clientOffset };
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
function copy(text: string): void {
  const copyByCommand = () => {
    const field = document.createElement('textarea');
    field.value = text;
    (document.querySelector('dialog[open]') ?? document.body).append(field); // a modal dialog makes all else inert
    field.select();
    document.execCommand('copy');
    field.remove();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).catch(copyByCommand);
  else copyByCommand();
}
