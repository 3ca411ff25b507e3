import { assertNever } from '../../shared/never.ts';
import { t, times } from '../i18n/index.ts';
import type { Message } from '../state/model.ts';
import { Icon } from './Icon.tsx';
import { partsOf } from './links.ts';
import { tone } from './portrait.ts';

export interface BubbleProps {
  message: Message;
  /** The first of a run of one author: their name stands above it. */
  first: boolean;
  /** What became of it, more closely. */
  onLook(key: string): void;
}

/** One message with its author, its time and, if it is one's own, how far it got (O3). */
export function Bubble({ message, first, onLook }: BubbleProps) {
  const { author, mine, content, status } = message;
  const bad = status.tag === 'not-sent';
  const meta = bad ? (
    <>
      <Icon name="not-sent" />
      {t.message.states['not-sent']}
    </>
  ) : (
    <>
      {content.tag === 'text' && content.edited && <span>{t.message.edited}</span>}
      <time dateTime={new Date(message.at).toISOString()}>{times.minute(message.at)}</time>
      {mine && <Icon name={status.tag} />}
      {mine && <span class="heard">{t.message.states[status.tag]}</span>}
    </>
  );
  return (
    <article class={classOf(message, first)} data-key={message.key} tabIndex={-1}>
      {mine || !first ? (
        <b class="heard">{mine ? t.rooms.you : author.name}</b>
      ) : (
        <b class={`name-${tone(author.id)}`} dir="auto">
          {author.name}
        </b>
      )}
      <Content content={content} />
      {mine ? (
        // Only what needs a hand is a stop of the tabulator; the arrows and the menu lead to the others.
        <button type="button" class="meta" tabIndex={bad ? 0 : -1} onClick={() => onLook(message.key)}>
          {meta}
        </button>
      ) : (
        <small class="meta">{meta}</small>
      )}
    </article>
  );
}

function classOf({ mine, status }: Message, first: boolean): string {
  const state = status.tag === 'queued' ? ' waiting' : status.tag === 'not-sent' ? ' bad' : '';
  return `message${mine ? ' mine' : ''}${first ? ' first' : ''}${state}`;
}

function Content({ content }: { content: Message['content'] }) {
  switch (content.tag) {
    case 'text':
      return <Body text={content.body} />;
    case 'deleted':
      return <i>{t.message.deleted}</i>;
    case 'unknown':
      return <i>{t.message.unknown}</i>;
    default:
      return assertNever(content);
  }
}

function Body({ text }: { text: string }) {
  return (
    <span class="body" dir="auto">
      {partsOf(text).map((part) =>
        part.tag === 'link' ? (
          <a href={part.href} dir="ltr" target="_blank" rel="noopener noreferrer">
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
    </span>
  );
}
