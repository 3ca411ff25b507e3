import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
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

/**
 * Draws bubbles. One that would look as it did the last time is the same node, which preact passes over: of a window of
 * 150 a new message changes one, and a slow phone has 50 ms for it.
 */
export function useBubbles(onLook: BubbleProps['onLook']): (message: Message, first: boolean) => VNode {
  const look = useRef(onLook);
  look.current = onLook;
  const last = useRef(new Map<string, Drawn>());
  const before = last.current;
  const drawn = new Map<string, Drawn>();
  last.current = drawn;
  return (message, first) => {
    const { key } = message;
    const old = before.get(key);
    const isOld = old && old.texts === t && old.first === first && looksSame(old.message, message);
    const node = isOld ? (
      old.node
    ) : (
      <Bubble key={key} message={message} first={first} onLook={(looked) => look.current(looked)} />
    );
    drawn.set(key, { texts: t, message, first, node });
    return node;
  };
}

interface Drawn {
  /** The language it speaks. */
  texts: typeof t;
  message: Message;
  first: boolean;
  node: VNode;
}

/** To be kept in step with what `Bubble` shows of a message; its key is the same. */
export function looksSame(a: Message, b: Message): boolean {
  const [was, is] = [a.content, b.content];
  return (
    a.clientOffset === b.clientOffset &&
    a.at === b.at &&
    a.author.name === b.author.name &&
    a.status.tag === b.status.tag &&
    (was.tag === 'text' && is.tag === 'text'
      ? was.body === is.body && was.edited === is.edited
      : was.tag === is.tag)
  );
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
    // Its name is all that it says: the arrows of a keyboard lead here, and who listens hears no more than a name.
    <article
      id={message.clientOffset}
      class={classOf(message, first)}
      data-key={message.key}
      tabIndex={-1}
      aria-labelledby={message.clientOffset}
    >
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
    case 'unreadable':
      return <i>{t.message.unreadable}</i>;
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
