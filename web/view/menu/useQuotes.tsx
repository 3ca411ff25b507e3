/** A tap on a quote goes to the quoted message, and a button leads back to the reply. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { QUOTE_CODE_POINTS } from '../../../shared/limits.ts';
import { t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Readable } from '../../records/cell.ts';
import { messageKey } from '../../records/storedRecords.ts';
import type { ConversationState, Message, ReplyTarget } from '../../state/model.ts';
import { tone } from '../parts/Avatar.tsx';
import { useSelected, useWorld } from '../parts/world.ts';
import { showRow } from './useMessageLinks.tsx';

export interface QuoteJump {
  /** Leads back; undefined while the reader has not followed a quote. */
  back: (() => void) | undefined;
  /** The quoted message could not be had. */
  hasFailed: boolean;
}

type Place = Pick<Message, 'key' | 'serverOffset'>;

export function useQuotes(
  room: string,
  log: RefObject<HTMLElement | null>,
  messages: readonly Message[],
): QuoteJump {
  const { client } = useWorld();
  const [from, setFrom] = useState<Place | undefined>();
  const [hasFailed, setFailed] = useState(false);
  const latest = useRef(messages);
  latest.current = messages;

  const show = (key: string) => showRow(log.current!, key);
  const go = async ({ key, serverOffset }: Place) => {
    const px = Math.round(log.current!.clientHeight / 3);
    const isHere =
      show(key) ||
      (serverOffset !== undefined && (await client.jumpTo(room, serverOffset, { key, serverOffset, px })));
    if (isHere) requestAnimationFrame(() => log.current && show(key)); // after the jump is rendered
    return isHere;
  };

  useEffect(() => {
    const element = log.current!;
    const onClick = async ({ target }: MouseEvent) => {
      const row = target instanceof Element && target.closest('.quote')?.closest<HTMLElement>('[data-key]');
      const reply = latest.current.find(({ key }) => row && key === row.dataset.key);
      if (!reply?.reply) return;
      const isHere = await go(reply.reply).catch(() => false);
      setFailed(!isHere);
      setFrom(isHere ? reply : undefined);
    };
    element.addEventListener('click', onClick);
    return () => element.removeEventListener('click', onClick);
  }, [room]);

  useEffect(() => {
    if (!hasFailed) return;
    const timer = setTimeout(setFailed, FAILED_SHOWN_MS, false);
    return () => clearTimeout(timer);
  }, [hasFailed]);

  const back = () => {
    setFrom(undefined);
    if (from) void go(from).catch(() => false);
  };
  return { back: from && back, hasFailed };
}

/** Long enough to read the sentence twice. */
const FAILED_SHOWN_MS = 8_000;

export function BackToReply({ jump: { back, hasFailed } }: { jump: QuoteJump }) {
  return (
    <div class="jump" role="status">
      {hasFailed && <p class="line">{sheetTexts().message.notHere}</p>}
      {back && (
        <button type="button" class="pill" onClick={back}>
          {sheetTexts().message.backToReply}
        </button>
      )}
    </div>
  );
}

/** Above the composer: whom the next message answers, and the text if it is in the window. */
export function ReplyBar({
  to,
  conversation,
}: {
  to: ReplyTarget;
  conversation: Readable<ConversationState>;
}) {
  const key = messageKey(to.author.id, to.clientOffset);
  const text = useSelected(conversation, ({ messages }) => {
    const content = messages.find((message) => message.key === key)?.content;
    return content && textOf(content);
  });
  return (
    <>
      <b dir="auto">{to.author.name}</b> <bdi>{text}</bdi>
    </>
  );
}

/** What is in the box of a quote. */
export function quote({ author, content }: NonNullable<Message['reply']>) {
  return (
    <>
      <b class={`name-${tone(author.id)}`} dir="auto" translate={false}>
        {author.name}
      </b>
      <span dir="auto">{content ? textOf(content) : sheetTexts().message.absent}</span>
    </>
  );
}

function textOf(content: Message['content']): string {
  if (content.tag === 'reaction' || content.tag === 'creation') return content.of;
  return content.tag === 'text' ? content.body.slice(0, QUOTE_CODE_POINTS) : t.message[content.tag];
}
