/** Sheets about one message: its delivery status, why it was not sent, and its deletion. */

import { useEffect, useState } from 'preact/hooks';
import { BODY_MAX_CODE_POINTS } from '../../../shared/limits.ts';
import { assertNever } from '../../../shared/never.ts';
import { codePoints } from '../../../shared/text.ts';
import { dayKey } from '../../i18n/formats.ts';
import { isolated, sentence, t, times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { ReadBy } from '../../records/storedRecords.ts';
import type { Message, Outcome } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { listed, ReactorLines } from './Reactions.tsx';
import { Sheet } from './Sheet.tsx';

export interface StatusSheetProps {
  room: string;
  message: Message;
  onClose(): void;
  /** Undefined where one cannot react. */
  onReact: (() => void) | undefined;
  onEdit(): void;
  onRemove(): void;
  mayRemove: boolean;
  onCopy(): void;
  onCopyLink: (() => void) | undefined;
  /** Who the author is. */
  onPerson(): void;
  /** Pins or unpins it. Undefined where one may not. */
  onPin: (() => void) | undefined;
  isPinned: boolean;
  /** Undefined where there is nothing to report. */
  onReport: (() => void) | undefined;
}

/**
 * The delivery status of a message as a sentence (O3), and its actions as buttons: with a screen reader on a phone there is no
 * long press.
 */
export function StatusSheet({ room, message, onClose, ...on }: StatusSheetProps) {
  const { content, status, pending } = message;
  const settled = pending === 'none' && status.tag === 'sent';
  return (
    <Sheet title={sheetTexts().message.details} onClose={onClose}>
      <p>{statusText(message)}</p>
      {message.mine && settled && <ReadByLines room={room} message={message} />}
      {pending === 'edit' && <p>{sheetTexts().details.changing}</p>}
      {pending === 'delete' && <p>{sheetTexts().details.deleting}</p>}
      {content.tag === 'blocked' && <blockquote dir="auto">{content.body}</blockquote>}
      {content.tag === 'deleted' && settled && <p>{sheetTexts().details.deleted}</p>}
      {content.tag === 'text' && content.edited && settled && <p>{sheetTexts().details.edited}</p>}
      {message.reactions && <ReactorLines room={room} message={message} />}
      {on.onReact && (
        <button type="button" class="button quiet" onClick={on.onReact}>
          {sheetTexts().message.react}
        </button>
      )}
      {message.can.edit && (
        <button type="button" class="button quiet" onClick={on.onEdit}>
          {sheetTexts().message.edit}
        </button>
      )}
      {content.tag === 'text' && <CopyButton onCopy={on.onCopy} />}
      {on.onCopyLink && (
        <button type="button" class="button quiet" onClick={on.onCopyLink}>
          {sheetTexts().message.copyLink}
        </button>
      )}
      {!message.mine && (
        <button type="button" class="button quiet" onClick={on.onPerson}>
          {sheetTexts().profile.open(isolated(message.author.name || sheetTexts().presence.somebody))}
        </button>
      )}
      {on.onPin && (
        <button type="button" class="button quiet" onClick={on.onPin}>
          {on.isPinned ? sheetTexts().pinned.unpin : sheetTexts().pinned.pin}
        </button>
      )}
      {on.onReport && (
        <button type="button" class="button quiet" onClick={on.onReport}>
          {sheetTexts().report.action}
        </button>
      )}
      {on.mayRemove && (
        <button type="button" class="button danger" onClick={on.onRemove}>
          {sheetTexts().message.delete}
        </button>
      )}
    </Sheet>
  );
}

/** Who of the others has read the message, whom it has reached, and whom not. The server is asked for that while there is a connection. */
function ReadByLines({ room, message }: Pick<StatusSheetProps, 'room' | 'message'>) {
  const { client } = useWorld();
  const [readBy, setReadBy] = useState<ReadBy | undefined>();
  const [reached, setReached] = useState<readonly string[] | undefined>();
  const { serverOffset } = message;
  useEffect(() => {
    if (serverOffset === undefined) return;
    const ask = () =>
      void client.ask('reached', room, serverOffset).then(
        (found) => found.ok && setReached(found.by),
        () => {},
      );
    ask();
    const timer = setInterval(ask, REACHED_EVERY_MS);
    return () => clearInterval(timer);
  }, [client, room, serverOffset]);
  useEffect(() => {
    if (serverOffset === undefined) return;
    // the database cannot be read: nothing is said
    const look = () =>
      void client.ask('readBy', room, serverOffset, reached).then(
        (found) => found.ok && setReadBy(found.readBy),
        () => {},
      );
    look();
    const timer = setInterval(look, READ_BY_EVERY_MS);
    return () => clearInterval(timer);
  }, [client, room, serverOffset, reached]);
  if (!readBy) return null;
  const { read, reached: onDevice, unread, hiding } = readBy;
  const { details } = sheetTexts();
  return (
    <>
      {read.length > 0 && <p>{details.readBy(listed(read))}</p>}
      {onDevice.length > 0 && <p>{details.reached(listed(onDevice))}</p>}
      {unread.length > 0 && <p>{(reached ? details.notReached : details.unreadBy)(listed(unread))}</p>}
      {hiding.length > 0 && <p>{details.hiding(listed(hiding))}</p>}
    </>
  );
}

/** While the sheet is open. Others are told at most as often. */
const READ_BY_EVERY_MS = 1_000;
/** The server hears it of each device at most once a minute, but soon of the first message. */
const REACHED_EVERY_MS = 3_000;

function CopyButton({ onCopy }: Pick<StatusSheetProps, 'onCopy'>) {
  return (
    <button type="button" class="button quiet" onClick={onCopy}>
      {sheetTexts().message.copy}
    </button>
  );
}

export function statusText({ status, at }: Pick<Message, 'status' | 'at'>): string {
  const when = momentOf(at, Date.now());
  switch (status.tag) {
    case 'queued':
      return sheetTexts().details[sendsWhenClosed() ? 'queued' : 'queuedUntilOpen'](when);
    case 'saving':
    case 'sending':
    case 'checking':
    case 'sent':
      return sheetTexts().details[status.tag](when);
    case 'not-sent':
      return sheetTexts().details.notSent(when);
    default:
      return assertNever(status);
  }
}

/** Whether the service worker sends what waits while the app is closed: not in Safari and Firefox. */
function sendsWhenClosed(): boolean {
  return 'SyncManager' in globalThis;
}

/** The time of day, with the date unless it is today. */
function momentOf(at: number, now: number): string {
  const time = times.minute(at);
  return dayKey(at) === dayKey(now) ? time : sheetTexts().details.onDay(time, times.date(at, now));
}

export interface NotSentSheetProps {
  message: Message;
  onClose(): void;
  onEdit(): void;
  onCopy(): void;
}

/** Why a message was not sent, with the choice to edit it, retry or delete it. Until then the text is kept. */
export function NotSentSheet({ message, onClose, onEdit, onCopy }: NotSentSheetProps) {
  const { client } = useWorld();
  const action = useAsyncAction();
  const run = (request: () => Promise<Outcome>) => action.run(request, onClose);
  return (
    <Sheet title={sheetTexts().notSent.title} onClose={onClose}>
      <p>
        {reasonText(message)} {isBehindRoom(message) || sheetTexts().notSent.others}
      </p>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, 'message')}
      </p>
      {message.content.tag === 'text' && (
        <button type="button" class="button" onClick={onEdit}>
          {sheetTexts().notSent.edit}
        </button>
      )}
      <button
        type="button"
        class="button quiet"
        onClick={() => run(() => client.retry(message.clientOffset))}
      >
        {sheetTexts().notSent.retry}
      </button>
      {message.content.tag === 'text' && <CopyButton onCopy={onCopy} />}
      <button
        type="button"
        class="button danger"
        onClick={() => run(() => client.discard(message.clientOffset))}
      >
        {sheetTexts().notSent.discard}
      </button>
    </Sheet>
  );
}

/** It waits for its room, which was not made. */
function isBehindRoom({ status }: Message): boolean {
  return status.tag === 'not-sent' && status.reason.code === 'room-not-made';
}

function reasonText({ content, status }: Message): string {
  if (status.tag !== 'not-sent') return '';
  if (status.reason.code === 'too-large' && content.tag === 'text') {
    return sheetTexts().tooLong(codePoints(content.body), BODY_MAX_CODE_POINTS);
  }
  const { code } = status.reason;
  const { reasons, roles } = sheetTexts();
  const table =
    code.startsWith('out-') ||
    code === 'not-answered' ||
    code === 'announcements-only' ||
    code === 'room-not-made'
      ? reasons.room
      : code.startsWith('role-')
        ? roles.reasons
        : 'message';
  return sentence(status.reason, table);
}

export interface RemoveSheetProps {
  room: string;
  message: Message;
  onClose(): void;
}

/** Confirms the deletion of a message: it cannot be undone. */
export function RemoveSheet({ room, message, onClose }: RemoveSheetProps) {
  const { client } = useWorld();
  const action = useAsyncAction();
  const texts = sheetTexts().remove;
  const unsent = message.serverOffset === undefined && message.status.tag === 'queued';
  return (
    <Sheet title={texts.title} onClose={onClose}>
      <p>{unsent ? texts.unsent : texts.sent}</p>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, 'message')}
      </p>
      <button
        type="button"
        class="button danger"
        aria-busy={action.busy}
        onClick={() =>
          action.run(
            () => (message.mine ? client.remove(room, message.clientOffset) : client.takeDown(room, message)),
            onClose,
          )
        }
      >
        {sheetTexts().message.delete}
      </button>
      <button type="button" class="button quiet" onClick={onClose}>
        {t.cancel}
      </button>
    </Sheet>
  );
}
