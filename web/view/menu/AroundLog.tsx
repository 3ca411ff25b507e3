/** What stands around the log and is not needed at the first paint: menus, what is read out, what was seen. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { assertNever } from '../../../shared/never.ts';
import type { ConversationState, Message } from '../../state/model.ts';
import { NotSentSheet } from '../sheet/NotSentSheet.tsx';
import { RemoveSheet } from '../sheet/RemoveSheet.tsx';
import { StatusSheet } from '../sheet/StatusSheet.tsx';
import { Announcer } from './Announcer.tsx';
import { MessageMenu } from './MessageMenu.tsx';
import type { Point } from './press.ts';
import { useOpening } from './useOpening.ts';
import { useSeen } from './useSeen.ts';

/** A message that is looked at more closely. */
export type Looked =
  | { tag: 'menu'; key: string; at: Point }
  | { tag: 'status'; key: string }
  | { tag: 'remove'; key: string };

export interface AroundLogProps {
  room: string;
  log: RefObject<HTMLElement | null>;
  state: ConversationState;
  looked: Looked | undefined;
  onLook(looked: Looked | undefined): void;
  onEdit(message: Message): void;
}

export function AroundLog({ room, log, state, looked, onLook, onEdit }: AroundLogProps) {
  useSeen(room, log, state);
  useOpening(log, (key, at) => onLook({ tag: 'menu', key, at }));
  const message = state.messages.find(({ key }) => key === looked?.key);
  useLayoutEffect(() => {
    if (looked && !message) onLook(undefined); // gone with the window it stood in
  }, [looked, !message]);
  return (
    <>
      <Announcer state={state} />
      {looked && message && (
        <Look
          key={looked.key}
          room={room}
          looked={looked}
          message={message}
          onLook={onLook}
          onEdit={onEdit}
        />
      )}
    </>
  );
}

/** Deleted by another device, or sent after all, while it is looked at: what was offered for it fits no more. */
function useCloseWhenOther({ content, status }: Message, close: () => void): void {
  const kind = `${content.tag} ${status.tag === 'not-sent'}`;
  const first = useRef(kind);
  useLayoutEffect(() => {
    if (kind !== first.current) close();
  }, [kind]);
}

interface LookProps {
  room: string;
  looked: Looked;
  message: Message;
  onLook(looked: Looked | undefined): void;
  onEdit(message: Message): void;
}

function Look({ room, looked, message, onLook, onEdit }: LookProps) {
  const { key } = message;
  const close = () => onLook(undefined);
  useCloseWhenOther(message, close);
  const edit = () => {
    onEdit(message);
    close();
  };
  const notSent = message.status.tag === 'not-sent';
  switch (looked.tag) {
    case 'menu':
      if (notSent) return <NotSentSheet message={message} onClose={close} onEdit={edit} />;
      return (
        <MessageMenu
          message={message}
          at={looked.at}
          onClose={close}
          onEdit={edit}
          onRemove={() => onLook({ tag: 'remove', key })}
          onCopy={() => {
            copy(message);
            close();
          }}
          onDetails={() => onLook({ tag: 'status', key })}
        />
      );
    case 'status':
      if (notSent) return <NotSentSheet message={message} onClose={close} onEdit={edit} />;
      return <StatusSheet message={message} onClose={close} />;
    case 'remove':
      return <RemoveSheet room={room} message={message} onClose={close} />;
    default:
      return assertNever(looked);
  }
}

/** By plain HTTP from another machine there is no `clipboard`: there the old way works. */
function copy({ content }: Message): void {
  if (content.tag !== 'text') return;
  const { body } = content;
  const byHand = () => {
    const field = document.createElement('textarea');
    field.value = body;
    (document.querySelector('dialog[open]') ?? document.body).append(field); // a modal dialog makes all else inert
    field.select();
    document.execCommand('copy');
    field.remove();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(body).catch(byHand);
  else byHand();
}
